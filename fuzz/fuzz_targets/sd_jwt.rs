//! SD-JWT VCs, their disclosures, and type metadata.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("sd_jwt"), |data: &[u8]| fuzz::sd_jwt::fuzz(data));
