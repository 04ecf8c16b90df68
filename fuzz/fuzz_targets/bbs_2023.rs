//! BBS, and the proofs made with it.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("bbs_2023"), |data: &[u8]| fuzz::bbs_2023::fuzz(data));
