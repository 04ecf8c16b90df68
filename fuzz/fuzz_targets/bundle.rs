//! Trust bundles, log entries, drafts and approvals: what a verifier and an officer are handed.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("bundle"), |data: &[u8]| fuzz::bundle::fuzz(data));
