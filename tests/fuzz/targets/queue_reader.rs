//! See [`fourzero_fuzz::queue_reader`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fourzero_fuzz::queue_reader(data));
