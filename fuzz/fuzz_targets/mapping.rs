//! Mapping files, and rows of a register.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("mapping"), |data: &[u8]| fuzz::mapping::fuzz(data));
