//! The C2SP text formats: notes, checkpoints, proofs, policies, tiles.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("tlog"), |data: &[u8]| fuzz::tlog::fuzz(data));
