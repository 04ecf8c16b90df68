//! OpenID4VP messages.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("vp"), |data: &[u8]| fuzz::vp::fuzz(data));
