//! Parallel proof-of-work mining and exact verification for the tutorial
//! blockchain, byte for byte like its Python programs.
//!
//! A proof is the smallest nonce for which the SHA-256 of
//! `{last_proof}{nonce}{suffix}` starts with four hex zeros. The hash of a block
//! is the SHA-256 of Python's `json.dumps(block, sort_keys=True)`.
//!
//! Each module is a layer and uses only the layers above it in this table:
//!
//! | module | contents |
//! |---|---|
//! | [`sha256`] | the hash and its implementations for this CPU |
//! | [`pow`] | rules, targets, message templates and the search for a proof |
//! | [`chain`] | blocks, transactions, canonical text, chain files, verification, conversion and statistics |
//! | [`batch`] | queues and the pipeline that mines them into a chain file |
//! | [`mod@bench`] | hashrates of this machine, how they scale, and comparisons |
//! | `node` (feature `node`, on by default) | the HTTP node |
//!
//! ```
//! use std::num::NonZeroUsize;
//! use fourzero::pow::{Control, NonceRange, Searcher, Target, Template};
//! use fourzero::sha256::KernelChoice;
//!
//! let searcher = Searcher::new(NonZeroUsize::new(2).unwrap(), KernelChoice::Measured)?;
//! let template = Template::new("100", "");
//! let outcome = searcher.find(&template, Target::FOUR_ZEROS, NonceRange::ALL, &Control::new())?;
//! assert_eq!(outcome.hit.unwrap().nonce.0, 35293);
//! # Ok::<(), fourzero::pow::SearchError>(())
//! ```

pub mod batch;
pub mod bench;
pub mod chain;
#[cfg(feature = "node")]
pub mod node;
pub mod pow;
pub mod sha256;

/// Runs the README's examples as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
