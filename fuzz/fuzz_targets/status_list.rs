//! Status lists in every form.
#![no_main]

libfuzzer_sys::fuzz_target!(init: fuzz::seeds::write("status_list"), |data: &[u8]| fuzz::status_list::fuzz(data));
