//! The DID methods, one file or folder each.

pub mod jwk;
pub mod key;
pub mod web;
pub mod webvh;
