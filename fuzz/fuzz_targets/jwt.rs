//! JWTs of every kind but SD-JWT, and JWEs.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("jwt"), |data: &[u8]| fuzz::jwt::fuzz(data));
