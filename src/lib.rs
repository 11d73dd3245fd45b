//! Parallel proof-of-work mining and exact verification for the tutorial
//! blockchain, byte for byte as its Python programs do it.
//!
//! A proof is the smallest nonce for which the SHA-256 of
//! `{last_proof}{nonce}{suffix}` starts with four hex zeros; a block's hash is
//! the SHA-256 of Python's `json.dumps(block, sort_keys=True)`.
//!
//! Each module is a layer and uses only those before it:
//!
//! | module | owns |
//! |---|---|
//! | [`sha256`] | the hash, and which implementations this CPU can run |
//! | [`pow`] | rules, targets, templates, the search for a proof |
//! | [`chain`] | blocks, transactions, the canonical text, chain files, verification, conversion, statistics |
//! | [`batch`] | queues, and the pipeline that turns them into a chain file |
//! | [`mod@bench`] | what this machine does: rates, how they scale, comparisons |
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

/// The README's examples are run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
