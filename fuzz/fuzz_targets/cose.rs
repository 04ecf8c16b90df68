//! COSE messages and keys.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("cose"), |data: &[u8]| fuzz::cose::fuzz(data));
