//! DIDs, DID URLs, documents and did:webvh logs.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("did"), |data: &[u8]| fuzz::did::fuzz(data));
