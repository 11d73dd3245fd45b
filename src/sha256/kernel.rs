//! Which implementation of the hash a search runs on, and whether this CPU
//! can run it.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

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

/// Every kernel there is, slowest last, whether or not this CPU has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KernelKind {
    /// The `sha2` crate over the formatted text, one nonce at a time: the
    /// reference that every other kernel is measured against.
    Sha2,
    /// This crate's own plain Rust.
    Portable,
}

impl KernelKind {
    const ALL: [Self; 2] = [Self::Sha2, Self::Portable];

    const fn name(self) -> &'static str {
        match self {
            Self::Sha2 => "sha2",
            Self::Portable => "portable",
        }
    }

    /// Whether the running CPU has the instructions.
    const fn is_supported(self) -> bool {
        match self {
            Self::Sha2 | Self::Portable => true,
        }
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
}

impl Kernel {
    /// The fastest kernel that this CPU runs.
    pub fn best() -> Self {
        Self::available()[0]
    }

    /// Every kernel that this CPU runs, fastest first. Never empty.
    pub fn available() -> Vec<Self> {
        KernelKind::ALL
            .into_iter()
            .filter(|kind| kind.is_supported())
            .map(Self)
            .collect()
    }

    /// The name under which `--kernel` knows it.
    pub const fn name(self) -> &'static str {
        self.0.name()
    }

    pub(crate) const fn kind(self) -> KernelKind {
        self.0
    }
}

impl FromStr for Kernel {
    type Err = KernelError;

    /// # Errors
    /// If no kernel has this name, or this CPU cannot run it.
    fn from_str(name: &str) -> Result<Self, KernelError> {
        let kind = KernelKind::ALL
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
    fn an_unknown_name_lists_the_kernels_there_are() {
        let error = "gpu".parse::<Kernel>().unwrap_err();
        assert!(error.to_string().contains("portable"), "{error}");
    }
}
