//! See [`fourzero_fuzz::verify`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fourzero_fuzz::verify(data));
