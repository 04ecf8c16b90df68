//! JSON-LD to RDF to canonical N-Quads.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("jsonld"), |data: &[u8]| fuzz::jsonld::fuzz(data));
