//! The implementations of the nonce scan, and which of them this CPU can run.
//!
//! `pow::scan` measures which is the fastest: nothing here depends on a CPU's
//! vendor or model.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::OnceLock;

use thiserror::Error;

#[cfg(target_arch = "aarch64")]
use super::arm_sha2;
use super::message_group::FirstMatch;
use super::scalar::HashState;
use super::{Digest, FirstBlock, MessageGroup, portable, self_test};
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512, sha_ni};

/// An instruction set that this CPU has, and that a search can run on.
///
/// The field is private: a `Kernel` proves that the running CPU has the
/// instructions.
///
/// ```
/// use fourzero::sha256::Kernel;
///
/// let kernel: Kernel = "portable".parse()?;
/// assert!(Kernel::available().contains(&kernel));
/// assert_eq!(kernel.variants()[0].to_string(), "portable");
/// # Ok::<(), fourzero::sha256::KernelError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kernel(&'static str);

/// One implementation of a [`Kernel`], and named like it. If there are several,
/// the name ends in a slash and a number: of the vectors that `avx512`
/// interleaves, or of the registers that `sha-ni` uses.
#[derive(Clone, Copy, Debug)]
pub struct Variant(&'static Implementation);

/// What a search runs on. It is parsed from [`FASTEST`](Self::FASTEST) or the
/// name of a kernel or variant.
///
/// ```
/// use fourzero::sha256::KernelChoice;
///
/// let choice: KernelChoice = "portable".parse()?;
/// assert_eq!(choice.candidates().len(), 1);
/// assert_eq!("fastest".parse(), Ok(KernelChoice::Measured));
/// assert!(KernelChoice::Measured.candidates().len() >= 1);
/// # Ok::<(), fourzero::sha256::KernelError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum KernelChoice {
    /// The fastest variant on this CPU for the messages of the search.
    #[default]
    Measured,
    /// The fastest variant of one kernel.
    Kernel(Kernel),
    /// One variant.
    Variant(Variant),
}

#[derive(Debug)]
struct Implementation {
    name: &'static str,
    is_supported: fn() -> bool,
    /// Needs the instructions that `is_supported` asks for. `None` for the
    /// `sha2` crate over the formatted text, one nonce at a time.
    first_match: Option<FirstMatch>,
    /// Rounds that one instruction does.
    rounds_at_once: usize,
    /// The least number of varying words that it handles.
    least_words: usize,
    passes_self_test: OnceLock<bool>,
}

/// The kernels of all architectures.
const NAMES: [&str; 6] = ["avx512", "sha-ni", "avx2", "arm-sha2", "portable", "sha2"];

/// A row for each variant: its name, the features it needs, its function, the
/// rounds that one instruction does, and whether one varying word is handled
/// as one or as two.
macro_rules! implementations {
    ($($name:literal, [$($feature:tt)*], $first_match:expr, $rounds:literal, $words:literal;)*) => {
        static IMPLEMENTATIONS: [Implementation; [$($name),*].len()] = [$(Implementation {
            name: $name,
            is_supported: || true $(&& has_feature!($feature))*,
            first_match: $first_match,
            rounds_at_once: $rounds,
            least_words: $words,
            passes_self_test: OnceLock::new(),
        }),*];
    };
}

#[cfg(target_arch = "x86_64")]
use std::arch::is_x86_feature_detected as has_feature;

#[cfg(target_arch = "x86_64")]
implementations! {
    "avx512/1", ["avx512f"], Some(avx512::one_stream::first_match), 1, 1;
    "avx512/2", ["avx512f"], Some(avx512::two_streams::first_match), 1, 1;
    "sha-ni/32", ["sha" "sse4.1" "ssse3" "avx512f" "avx512vl"],
        Some(sha_ni::thirty_two_registers::first_match), 2, 1;
    "sha-ni/16", ["sha" "sse4.1" "ssse3"], Some(sha_ni::sixteen_registers::first_match), 2, 1;
    "avx2", ["avx2"], Some(avx2::first_match), 1, 2;
    "portable", [], Some(portable::first_match), 1, 2;
    "sha2", [], None, 1, 1;
}

#[cfg(target_arch = "aarch64")]
use std::arch::is_aarch64_feature_detected as has_feature;

#[cfg(target_arch = "aarch64")]
implementations! {
    "arm-sha2", ["sha2"], Some(arm_sha2::first_match), 4, 1;
    "portable", [], Some(portable::first_match), 1, 2;
    "sha2", [], None, 1, 1;
}

#[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
implementations! {
    "portable", [], Some(portable::first_match), 1, 2;
    "sha2", [], None, 1, 1;
}

/// Why a kernel cannot be used.
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
        "this CPU lacks the instructions of the kernel \"{name}\" (it runs: {})",
        available_names()
    )]
    Unsupported {
        /// The kernel's name.
        name: &'static str,
    },
    /// The kernel and the scalar code disagree.
    #[error("the kernel \"{name}\" fails its self-test; this CPU or this build cannot be trusted")]
    Faulty {
        /// The variant's name.
        name: &'static str,
    },
}

impl Kernel {
    /// Every kernel that this CPU runs, in no order of speed. Never empty.
    pub fn available() -> Vec<Self> {
        let runs = |name: &&str| Variant::available().any(|variant| variant.kernel().0 == *name);
        NAMES.into_iter().filter(runs).map(Self).collect()
    }

    /// The names of the kernels that this CPU does not run.
    pub fn missing() -> Vec<&'static str> {
        let runs = Self::available();
        let is_missing = |name: &&'static str| !runs.contains(&Self(name));
        NAMES.into_iter().filter(is_missing).collect()
    }

    /// Its name, which [`KernelChoice`] is parsed from.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// Its variants that this CPU runs. Never empty.
    pub fn variants(self) -> Vec<Variant> {
        Variant::available()
            .filter(|variant| variant.kernel() == self)
            .collect()
    }
}

impl Variant {
    fn available() -> impl Iterator<Item = Self> {
        IMPLEMENTATIONS
            .iter()
            .filter(|implementation| (implementation.is_supported)())
            .map(Self)
    }

    /// The instruction set it needs.
    pub fn kernel(self) -> Kernel {
        Kernel(
            self.0
                .name
                .split_once('/')
                .map_or(self.0.name, |(kernel, _)| kernel),
        )
    }

    /// Its name, which [`KernelChoice`] is parsed from.
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// Compares a few messages for every position of a nonce with the scalar
    /// code, once in a process. It takes less than a millisecond.
    ///
    /// # Errors
    /// [`KernelError::Faulty`] if they differ.
    pub fn self_test(self) -> Result<(), KernelError> {
        let passes = self.0.passes_self_test.get_or_init(|| {
            if self.hashes_groups() {
                self_test::cases_of_every_position()
                    .all(|case| self_test::agrees_with_scalar(&self, case))
            } else {
                let digest = [0xba, 0x78, 0x16, 0xbf];
                Digest::of(b"abc").as_bytes().starts_with(&digest)
            }
        });
        let faulty = KernelError::Faulty { name: self.name() };
        passes.then_some(()).ok_or(faulty)
    }

    /// Whether it hashes [`MessageGroup`]s. The `sha2` kernel, which hashes
    /// text, does not.
    pub(crate) const fn hashes_groups(self) -> bool {
        self.0.first_match.is_some()
    }

    /// The block of a group in which `count` words vary from word `first` on.
    pub(crate) fn first_block(
        self,
        midstate: HashState,
        words: [u32; 16],
        first: usize,
        count: usize,
    ) -> FirstBlock {
        // The word after the last is in the next block.
        let count = count.max(self.0.least_words.min(16 - first));
        FirstBlock::new(midstate, words, first, count, self.0.rounds_at_once)
    }

    /// The index of the first message in `range` whose digest's first word has
    /// no bit of the group's mask, or `None` if there is none or the kernel
    /// does not hash groups.
    ///
    /// The group's first block must come from this variant's own
    /// [`Self::first_block`]: with another's, matches may be missed.
    ///
    /// # Panics
    /// If a column does not reach [`COLUMN_PADDING`](super::COLUMN_PADDING)
    /// words past `range`.
    #[allow(unsafe_code, reason = "calls code compiled for the detected CPU")]
    pub(crate) fn first_match(
        self,
        group: &MessageGroup<'_>,
        range: Range<usize>,
    ) -> Option<usize> {
        let first_match = self.0.first_match?;
        // SAFETY: to hold a variant proves that the CPU has its instructions.
        unsafe { first_match(group, range) }
    }
}

impl KernelChoice {
    /// The name of [`Measured`](Self::Measured).
    pub const FASTEST: &str = "fastest";

    /// All names of choices, whether this CPU runs them or not: of kernels, of
    /// their variants, and [`FASTEST`](Self::FASTEST).
    pub fn known_names() -> Vec<&'static str> {
        let variants = IMPLEMENTATIONS.iter().map(|variant| variant.name);
        let variants = variants.filter(|name| !NAMES.contains(name));
        let names = NAMES.into_iter().chain([Self::FASTEST]);
        names.chain(variants).collect()
    }

    /// The variants that a search may run on. [`Measured`](Self::Measured) leaves
    /// out `sha2`, which the others are checked against. Never empty.
    pub fn candidates(self) -> Vec<Variant> {
        match self {
            Self::Measured => Variant::available()
                .filter(|variant| variant.hashes_groups())
                .collect(),
            Self::Kernel(kernel) => kernel.variants(),
            Self::Variant(variant) => vec![variant],
        }
    }
}

impl From<Kernel> for KernelChoice {
    fn from(kernel: Kernel) -> Self {
        Self::Kernel(kernel)
    }
}

impl From<Variant> for KernelChoice {
    fn from(variant: Variant) -> Self {
        Self::Variant(variant)
    }
}

impl self_test::Subject for Variant {
    fn first_block(
        &self,
        midstate: HashState,
        words: [u32; 16],
        first: usize,
        count: usize,
    ) -> FirstBlock {
        (*self).first_block(midstate, words, first, count)
    }

    fn first_match(&self, group: &MessageGroup<'_>, range: Range<usize>) -> Option<usize> {
        (*self).first_match(group, range)
    }
}

impl FromStr for Kernel {
    type Err = KernelError;

    /// # Errors
    /// If no kernel has this name, or this CPU cannot run it.
    fn from_str(name: &str) -> Result<Self, KernelError> {
        let known = NAMES.into_iter().find(|known| *known == name);
        let kernel = Self(known.ok_or_else(|| KernelError::Unknown {
            name: name.to_owned(),
        })?);
        match kernel.variants().is_empty() {
            false => Ok(kernel),
            true => Err(KernelError::Unsupported { name: kernel.0 }),
        }
    }
}

impl FromStr for KernelChoice {
    type Err = KernelError;

    /// One of [`known_names`](Self::known_names).
    ///
    /// # Errors
    /// If nothing has this name, or this CPU cannot run it.
    fn from_str(name: &str) -> Result<Self, KernelError> {
        if name == Self::FASTEST {
            return Ok(Self::Measured);
        }
        let mut all = IMPLEMENTATIONS.iter();
        match all.find(|implementation| implementation.name == name) {
            Some(found) if (found.is_supported)() => Ok(Self::Variant(Variant(found))),
            Some(found) => Err(KernelError::Unsupported { name: found.name }),
            None => name.parse().map(Self::Kernel),
        }
    }
}

impl PartialEq for Variant {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Variant {}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for KernelChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Measured => f.pad(Self::FASTEST),
            Self::Kernel(kernel) => kernel.fmt(f),
            Self::Variant(variant) => variant.fmt(f),
        }
    }
}

fn available_names() -> String {
    let names = Kernel::available().into_iter().map(Kernel::name);
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_available_kernel_and_variant_is_found_by_its_name() {
        for kernel in Kernel::available() {
            assert_eq!(kernel.name().parse(), Ok(kernel));
            for variant in kernel.variants() {
                let choice = KernelChoice::Variant(variant);
                assert_eq!(variant.name().parse(), Ok(choice));
                assert_eq!(variant.kernel(), kernel);
            }
        }
    }

    #[test]
    fn every_variant_passes_its_self_test() {
        for variant in Variant::available() {
            assert_eq!(variant.self_test(), Ok(()));
            println!("run: {variant}");
        }
        println!("not run on this CPU: {:?}", Kernel::missing());
    }

    #[test]
    fn a_kernel_is_either_available_or_missing() {
        let available = Kernel::available().len();
        assert_eq!(available + Kernel::missing().len(), NAMES.len());
        for name in Kernel::missing() {
            assert_eq!(
                name.parse::<KernelChoice>(),
                Err(KernelError::Unsupported { name })
            );
        }
    }

    #[test]
    fn every_known_name_is_a_choice_or_lacks_instructions() {
        for name in KernelChoice::known_names() {
            match name.parse::<KernelChoice>() {
                Ok(choice) => assert_eq!(choice.to_string(), name),
                Err(error) => assert_eq!(error, KernelError::Unsupported { name }),
            }
        }
    }

    #[test]
    fn an_unknown_name_lists_the_kernels_there_are() {
        let error = "gpu".parse::<KernelChoice>().unwrap_err();
        assert!(error.to_string().contains("portable"), "{error}");
    }

    #[test]
    fn the_reference_is_used_only_when_asked_for() {
        let is_reference = |variant: &Variant| variant.name() == "sha2";
        assert!(!KernelChoice::Measured.candidates().iter().any(is_reference));
        let asked: KernelChoice = "sha2".parse().unwrap();
        assert!(asked.candidates().iter().all(is_reference));
    }
}
