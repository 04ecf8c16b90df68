//! The endpoints of the VC API, as a test suite drives them.
#![cfg(test)]

mod access;
mod issuing;
mod presentations;
mod service;
mod status;
mod verifying;
