//! OpenID4VCI messages.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("vci"), |data: &[u8]| fuzz::vci::fuzz(data));
