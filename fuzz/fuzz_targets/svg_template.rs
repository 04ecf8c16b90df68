//! SVG templates of credential types.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("svg_template"), |data: &[u8]| fuzz::svg_template::fuzz(data));
