//! The `portable` kernel: what every CPU of the architecture can run.
//!
//! On x86-64 that is SSE2, on 64-bit ARM NEON, four lanes each; elsewhere it is
//! plain arrays. With SSE2, on a busy AMD EPYC (Zen 3), 2.4 million nonces of one
//! block and as many of two took 0.84 s of processor time; the plain loop over
//! `sha2` 0.11 with `--cfg sha2_backend="soft"` took 2.40 s at best.
#![allow(unsafe_code, reason = "calls the loop that instruction sets share")]

#[cfg(target_arch = "aarch64")]
use super::neon::Words;
#[cfg(target_arch = "x86_64")]
use super::sse2::Words;
use super::vector_search::vector_kernel;

#[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
type Words = super::vector::Array<4>;

vector_kernel! {
    Words, batch 16, least 2
}
