//! mdocs, device responses and certificates.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("mdoc"), |data: &[u8]| fuzz::mdoc::fuzz(data));
