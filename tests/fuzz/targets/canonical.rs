//! See [`fourzero_fuzz::canonical`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fourzero_fuzz::canonical(data));
