//! Deltas between trust bundles.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("delta"), |data: &[u8]| fuzz::delta::fuzz(data));
