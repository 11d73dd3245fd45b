//! SHA-256: constants, the compression function, digests, and the
//! implementations of the nonce scan ([`Kernel`]) that this CPU runs.
//!
//! The lowest layer: it uses no other module of this crate.

#[cfg(target_arch = "aarch64")]
mod arm_sha2;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod constants;
mod cpu;
mod digest;
mod digest_texts;
mod kernel;
mod message_group;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
mod rounds;
pub(crate) mod scalar;
mod schedule;
mod self_test;
#[cfg(target_arch = "x86_64")]
mod sha_ni;
#[cfg(target_arch = "x86_64")]
mod sse2;
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
mod stream_search;
mod vector;
mod vector_search;

pub use cpu::cpu_features;
pub use digest::Digest;
pub(crate) use digest_texts::digest_texts;
pub use kernel::{Kernel, KernelChoice, KernelError, Variant};
pub(crate) use message_group::{COLUMN_PADDING, MessageGroup};
pub(crate) use schedule::{ConstantBlock, FirstBlock};
