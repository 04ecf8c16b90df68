//! W3C credentials and presentations with embedded proofs.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("data_integrity"), |data: &[u8]| fuzz::data_integrity::fuzz(data));
