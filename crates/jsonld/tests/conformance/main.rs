//! The tests of the standards against the shared vectors.

#[cfg(test)]
#[path = "../documents/comparison.rs"]
mod comparison;
#[cfg(test)]
mod json_ld_api;
#[cfg(test)]
mod n_quads;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod rdf_canon;
#[cfg(test)]
mod vc_data_model;
#[cfg(test)]
mod vectors;
