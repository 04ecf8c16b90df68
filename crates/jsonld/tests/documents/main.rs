//! What happens to documents that lose something, hide something or cost too much.

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod compact;
#[cfg(test)]
mod comparison;
#[cfg(test)]
mod expensive;
#[cfg(test)]
mod generator;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod places;
#[cfg(test)]
mod strict;
