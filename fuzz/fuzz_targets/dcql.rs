//! DCQL queries, and wallets that answer them.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("dcql"), |data: &[u8]| fuzz::dcql::fuzz(data));
