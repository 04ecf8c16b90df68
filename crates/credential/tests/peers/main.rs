//! The formats against independent implementations: what they make is read here, what is made here they read,
//! and both refuse what was changed on the way.
//!
//! The implementations are the programs in `tests/interop/peers`. `cargo xtask test` installs what they need and
//! sets `ATTESTRY_INTEROP=1`; without it these tests are skipped, unless `ATTESTRY_REQUIRE_INTEROP=1` forbids that.
#![cfg(test)]

mod data_integrity;
mod matrix;
mod mdoc;
mod mutation;
mod party;
mod peer;
mod sd_jwt_vc;
mod selective;
mod status_list;
mod vc_jwt;
mod vc_sd_jwt_and_cose;
