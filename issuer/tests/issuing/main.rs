//! The service with a real store, over real HTTP, against the registry's own state machine: one type in each format,
//! from the offer to revocation.
#![cfg(test)]

mod federation;
mod formats;
mod mdoc;
mod metadata;
mod registry;
mod service;
mod status;
