//! Entity Configurations of OpenID Federation.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("federation"), |data: &[u8]| fuzz::federation::fuzz(data));
