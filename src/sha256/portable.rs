//! The `portable` kernel runs on every CPU of the architecture: four lanes of
//! SSE2 on x86-64, of NEON on 64-bit ARM, and of plain arrays elsewhere.
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
