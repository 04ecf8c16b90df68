//! What a wallet stores and receives.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("wallet"), |data: &[u8]| fuzz::wallet::fuzz(data));
