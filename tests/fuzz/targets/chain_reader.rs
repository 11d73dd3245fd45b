//! See [`fourzero_fuzz::chain_reader`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fourzero_fuzz::chain_reader(data));
