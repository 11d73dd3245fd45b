//! Which implementation of the hash a search runs on, and whether this CPU
//! can run it.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use thiserror::Error;

#[cfg(target_arch = "aarch64")]
use super::arm_sha2;
use super::scalar::State;
use super::{Digest, FirstBlock, Group, cpu, portable, self_test};
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512, sha_ni};

/// An implementation of the nonce scan that this CPU can run.
///
/// The field is private: to hold a `Kernel` is the proof that the running CPU
/// has the instructions it needs.
///
/// ```
/// use fourzero::sha256::Kernel;
///
/// let kernel: Kernel = "portable".parse()?;
/// assert_eq!(kernel.name(), "portable");
/// assert!(Kernel::available().contains(&Kernel::best()));
/// # Ok::<(), fourzero::sha256::KernelError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kernel(KernelKind);

/// Every kernel there is, whether or not this CPU has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum KernelKind {
    /// AVX-512F: two interleaved streams of 16 lanes.
    Avx512,
    /// The SHA extensions.
    ShaNi,
    /// AVX2: 8 lanes.
    Avx2,
    /// The SHA-256 instructions of ARMv8.
    ArmSha2,
    /// What every CPU of the architecture has.
    Portable,
    /// The `sha2` crate over the formatted text, one nonce at a time: the
    /// reference that every other kernel is measured against.
    Sha2,
}

impl KernelKind {
    /// Every kernel, fastest first: as measured on Zen 3 and Zen 4, and as
    /// assumed of other CPUs with AVX-512 and of ARM. A Zen 4 does a 512-bit
    /// operation as two of 256 bits.
    fn fastest_first() -> [Self; 6] {
        use KernelKind::*;
        if cpu::is_zen_4() {
            [ShaNi, Avx512, Avx2, ArmSha2, Portable, Sha2]
        } else {
            [Avx512, ShaNi, Avx2, ArmSha2, Portable, Sha2]
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::ShaNi => "sha-ni",
            Self::Avx2 => "avx2",
            Self::ArmSha2 => "arm-sha2",
            Self::Portable => "portable",
            Self::Sha2 => "sha2",
        }
    }

    /// Whether the running CPU has the instructions.
    #[cfg(target_arch = "x86_64")]
    fn is_supported(self) -> bool {
        match self {
            Self::Avx512 => is_x86_feature_detected!("avx512f"),
            Self::ShaNi => {
                is_x86_feature_detected!("sha")
                    && is_x86_feature_detected!("sse4.1")
                    && is_x86_feature_detected!("ssse3")
            }
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            Self::ArmSha2 => false,
            Self::Portable | Self::Sha2 => true,
        }
    }

    /// Whether the running CPU has the instructions.
    #[cfg(target_arch = "aarch64")]
    fn is_supported(self) -> bool {
        match self {
            Self::ArmSha2 => std::arch::is_aarch64_feature_detected!("sha2"),
            Self::Portable | Self::Sha2 => true,
            Self::Avx512 | Self::ShaNi | Self::Avx2 => false,
        }
    }

    /// Whether the running CPU has the instructions.
    #[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
    fn is_supported(self) -> bool {
        matches!(self, Self::Portable | Self::Sha2)
    }
}

/// Why a kernel asked for by name cannot be had.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum KernelError {
    /// No kernel has this name.
    #[error("there is no kernel \"{name}\" (this CPU runs: {})", available_names())]
    Unknown {
        /// The name that was asked for.
        name: String,
    },
    /// The kernel exists, but needs instructions this CPU lacks.
    #[error(
        "this CPU cannot run the kernel \"{name}\" (it runs: {})",
        available_names()
    )]
    Unsupported {
        /// The kernel's name.
        name: &'static str,
    },
    /// The kernel contradicts the scalar code.
    #[error(
        "the kernel \"{name}\" fails its self-test: this CPU or this build cannot be trusted (try \
         --kernel sha2)"
    )]
    Faulty {
        /// The kernel's name.
        name: &'static str,
    },
}

impl Kernel {
    /// The fastest kernel that this CPU runs.
    pub fn best() -> Self {
        Self::available()[0]
    }

    /// Every kernel that this CPU runs, fastest first. Never empty.
    pub fn available() -> Vec<Self> {
        KernelKind::fastest_first()
            .into_iter()
            .filter(|kind| kind.is_supported())
            .map(Self)
            .collect()
    }

    /// The names of the kernels that this CPU does not run.
    pub fn missing() -> Vec<&'static str> {
        KernelKind::fastest_first()
            .into_iter()
            .filter(|kind| !kind.is_supported())
            .map(KernelKind::name)
            .collect()
    }

    /// Hashes a few messages for every place at which a nonce can lie and
    /// compares the result with the scalar code, in less than a millisecond.
    ///
    /// # Errors
    /// [`KernelError::Faulty`] if they differ.
    pub fn self_test(self) -> Result<(), KernelError> {
        let holds = match self.0 {
            KernelKind::Sha2 => Digest::of(b"abc")
                .as_bytes()
                .starts_with(&[0xba, 0x78, 0x16, 0xbf]),
            _ => self_test::cases_of_every_position()
                .all(|case| self_test::agrees_with_scalar(&self, case)),
        };
        if holds {
            Ok(())
        } else {
            Err(KernelError::Faulty { name: self.name() })
        }
    }

    /// The name under which `--kernel` knows it.
    pub const fn name(self) -> &'static str {
        self.0.name()
    }

    /// Whether it hashes [`Group`]s. The `sha2` kernel, which hashes text,
    /// does not.
    pub(crate) const fn hashes_groups(self) -> bool {
        !matches!(self.0, KernelKind::Sha2)
    }

    /// The block of a group in which `count` words vary from word `first` on.
    pub(crate) fn first_block(
        self,
        midstate: State,
        words: [u32; 16],
        first: usize,
        count: usize,
    ) -> FirstBlock {
        let count = match self.0 {
            KernelKind::Avx2 | KernelKind::Portable if first < 15 => 2,
            _ => count,
        };
        let rounds_at_once = match self.0 {
            KernelKind::ShaNi => 2,
            KernelKind::ArmSha2 => 4,
            _ => 1,
        };
        FirstBlock::new(midstate, words, first, count, rounds_at_once)
    }

    /// The index of the first message in `range` whose digest's first word has
    /// no bit of the group's mask, or `None` if there is none or the kernel
    /// does not hash groups.
    ///
    /// The group's first block must come from this kernel's own
    /// [`Self::first_block`]: with another's, matches may be missed.
    ///
    /// # Panics
    /// If a column does not reach [`COLUMN_PADDING`](super::COLUMN_PADDING)
    /// words past `range`.
    #[allow(unsafe_code, reason = "calls code compiled for the detected CPU")]
    pub(crate) fn first_match(self, group: &Group<'_>, range: Range<usize>) -> Option<usize> {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: to hold a kernel proves that its instructions exist.
            KernelKind::Avx512 => unsafe { avx512::first_match(group, range) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            KernelKind::ShaNi => unsafe { sha_ni::first_match(group, range) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            KernelKind::Avx2 => unsafe { avx2::first_match(group, range) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: as above.
            KernelKind::ArmSha2 => unsafe { arm_sha2::first_match(group, range) },
            KernelKind::Portable => portable::first_match(group, range),
            KernelKind::Sha2 => None,
            _ => unreachable!("never supported here, so no such kernel is held"),
        }
    }
}

impl self_test::Subject for Kernel {
    fn first_block(
        &self,
        midstate: State,
        words: [u32; 16],
        first: usize,
        count: usize,
    ) -> FirstBlock {
        (*self).first_block(midstate, words, first, count)
    }

    fn first_match(&self, group: &Group<'_>, range: Range<usize>) -> Option<usize> {
        (*self).first_match(group, range)
    }
}

impl FromStr for Kernel {
    type Err = KernelError;

    /// # Errors
    /// If no kernel has this name, or this CPU cannot run it.
    fn from_str(name: &str) -> Result<Self, KernelError> {
        let kind = KernelKind::fastest_first()
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| KernelError::Unknown {
                name: name.to_owned(),
            })?;
        if kind.is_supported() {
            Ok(Self(kind))
        } else {
            Err(KernelError::Unsupported { name: kind.name() })
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

fn available_names() -> String {
    let names: Vec<_> = Kernel::available().into_iter().map(Kernel::name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_available_kernel_is_found_by_its_name() {
        for kernel in Kernel::available() {
            assert_eq!(kernel.name().parse(), Ok(kernel));
        }
    }

    #[test]
    fn every_kernel_passes_its_self_test() {
        for kernel in Kernel::available() {
            assert_eq!(kernel.self_test(), Ok(()));
            println!("run: {kernel}");
        }
        println!("not run, for want of instructions: {:?}", Kernel::missing());
    }

    #[test]
    fn a_kernel_is_either_available_or_missing() {
        let available = Kernel::available().len();
        assert_eq!(
            available + Kernel::missing().len(),
            KernelKind::fastest_first().len()
        );
        for name in Kernel::missing() {
            assert_eq!(
                name.parse::<Kernel>(),
                Err(KernelError::Unsupported { name })
            );
        }
    }

    #[test]
    fn an_unknown_name_lists_the_kernels_there_are() {
        let error = "gpu".parse::<Kernel>().unwrap_err();
        assert!(error.to_string().contains("portable"), "{error}");
    }
}
