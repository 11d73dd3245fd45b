//! Errors of the node.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::database_problem::DatabaseProblem;
use crate::chain::{Fault, ReadError, VerifyError};
use crate::pow::{Rule, SearchError, Target};

/// Why a node cannot start, or why an import or export failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The data folder or a file in it cannot be used.
    #[error("cannot use {}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another node uses the same data.
    #[error("another node uses {}", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The database cannot be used.
    #[error("cannot use the database {}: {problem}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: DatabaseProblem,
    },
    /// The database does not hold a chain that a node wrote.
    #[error("the database {} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// The chain was made under another rule.
    #[error("the chain in {} was made with the rule {found}, not {asked}", path.display())]
    OtherRule {
        /// The file.
        path: PathBuf,
        /// The name of the chain's rule.
        found: String,
        /// The rule in the configuration.
        asked: Rule,
    },
    /// The chain was made with another difficulty.
    #[error("the chain in {} was made with a difficulty of {found}, not {asked}", path.display())]
    OtherDifficulty {
        /// The file.
        path: PathBuf,
        /// The chain's difficulty.
        found: Target,
        /// The difficulty in the configuration.
        asked: Target,
    },
    /// The folder holds no node's database.
    #[error("there is no node in {}", path.display())]
    NoNode {
        /// The folder.
        path: PathBuf,
    },
    /// An import would replace a chain that holds more than its first block.
    #[error("{} holds a chain of {blocks} blocks already", path.display())]
    Occupied {
        /// The file.
        path: PathBuf,
        /// Its blocks.
        blocks: u64,
    },
    /// The search threads cannot be started.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// A thread cannot be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// A chain file cannot be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A chain file cannot be verified.
    #[error("{}", path.display())]
    Verify {
        /// The file.
        path: PathBuf,
        /// Why.
        source: VerifyError,
    },
    /// A chain file cannot be read.
    #[error("{}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ReadError,
    },
    /// A chain file does not verify.
    #[error("{} is not valid: {fault}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: Fault,
    },
    /// Web pages of all origins may call a node that has a token.
    #[error("a node with a token cannot be open to the web pages of all origins")]
    AnyOrigin,
    /// An exported chain cannot be written.
    #[error("cannot write the chain")]
    Write(#[source] io::Error),
    /// A chain's first block is not the tutorial's.
    #[error("{} does not start with the tutorial's first block: {what}", path.display())]
    Genesis {
        /// The file.
        path: PathBuf,
        /// What is different.
        what: String,
    },
}
