//! The direct path to canonical N-Quads and the general one.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("jsonld_paths"), |data: &[u8]| fuzz::jsonld_paths::fuzz(data));
