//! See [`fourzero_fuzz::kernels`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fourzero_fuzz::kernels(data));
