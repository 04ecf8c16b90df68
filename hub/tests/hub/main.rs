//! The hub as its users meet it: the real router on a socket, a real embedded store, a source on loopback.
#![cfg(test)]

mod calls;
mod consents;
mod evidence;
mod reading;
mod refusals;
mod statements;
mod tokens;
mod world;
