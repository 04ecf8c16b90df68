//! Deterministic CBOR.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("cbor"), |data: &[u8]| fuzz::cbor::fuzz(data));
