//! The verifier's verdict over any answer.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("verdict"), |data: &[u8]| fuzz::verdict::fuzz(data));
