//! Schemas, and documents evaluated against them.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("json_schema"), |data: &[u8]| fuzz::json_schema::fuzz(data));
