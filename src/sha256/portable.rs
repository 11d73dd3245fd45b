//! The `portable` kernel: what every CPU of the architecture can run.
//!
//! On x86-64 that is SSE2, four lanes.
#![allow(unsafe_code, reason = "calls the loop that instruction sets share")]

use super::group::{by_position, kernel};
#[cfg(target_arch = "x86_64")]
use super::sse2::Words;

#[cfg(not(target_arch = "x86_64"))]
type Words = super::vector::Array<4>;

kernel! {
    Words, by_position!(first_half, two words)
}
