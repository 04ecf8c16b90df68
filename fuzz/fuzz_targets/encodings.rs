//! Base64url, multibase, times, keys: the small texts inside of everything else.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("encodings"), |data: &[u8]| fuzz::encodings::fuzz(data));
