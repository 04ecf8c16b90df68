//! The registry's service with a real store and over real HTTP: governance, the log as its clients see it,
//! crashes between any two steps, and what strangers may not do.
#![cfg(test)]

mod crashes;
mod deltas;
mod did_web;
mod entries;
mod extracts;
mod governance;
mod identifiers;
mod log_files;
mod mirrors;
mod nation;
mod openid_federation;
mod operators;
mod projections;
mod recovery;
mod second_key;
mod tree;
mod trqp;
mod types;
mod witnesses;
