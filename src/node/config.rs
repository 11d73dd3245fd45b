//! What a node is told at its start.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use etcetera::AppStrategy as _;

use crate::chain::Strictness;
use crate::pow::{Rule, Target};
use crate::sha256::{Digest, KernelChoice};

/// How a node works.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The folder of its database.
    pub data: PathBuf,
    /// The rule of its proofs.
    pub rule: Rule,
    /// Their difficulty.
    pub target: Target,
    /// How much is asked of transactions.
    pub strictness: Strictness,
    /// Threads that search for proofs.
    pub threads: NonZeroUsize,
    /// What they search with.
    pub kernel: KernelChoice,
    /// Who gets the rewards; `None` keeps the id in the database, or makes one.
    pub node_id: Option<String>,
    /// Asked of every call that changes anything.
    pub token: Option<Token>,
    /// What it refuses to take.
    pub limits: Limits,
}

impl NodeConfig {
    /// A node with the tutorial's rule, one search thread, and its database
    /// in `data`.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            rule: Rule::default(),
            target: Target::default(),
            strictness: Strictness::default(),
            threads: NonZeroUsize::MIN,
            kernel: KernelChoice::Measured,
            node_id: None,
            token: None,
            limits: Limits::default(),
        }
    }
}

/// What a node refuses to take, and how long it waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Bytes of all bodies that are held at once; past it, callers are told to
    /// come again. Not less than [`Self::body_bytes`], or such a body is
    /// never taken.
    pub all_body_bytes: usize,
    /// Transactions that may be pending.
    pub pending: u64,
    /// Connections at once; further ones wait to be accepted.
    pub connections: usize,
    /// Calls of `/mine` that may wait for their turn.
    pub mine_queue: usize,
    /// For a request's header, and again for its body.
    pub request_time: Duration,
    /// How long a client may leave an answer unread.
    pub unread_time: Duration,
    /// For a peer's whole answer.
    pub peer_time: Duration,
    /// Bytes of a peer's chain.
    pub peer_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            all_body_bytes: 64 << 20,
            pending: 500_000,
            connections: 1024,
            mine_queue: 32,
            request_time: Duration::from_secs(10),
            unread_time: Duration::from_secs(30),
            peer_time: Duration::from_secs(60),
            peer_bytes: 1 << 30,
        }
    }
}

/// A bearer token. Only its digest is kept, so that it can get into no log
/// and comparing it tells nothing by its time.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Digest);

impl Token {
    /// Takes the token's text.
    pub fn new(text: &str) -> Self {
        Self(Digest::of(text.as_bytes()))
    }

    pub(super) fn is(&self, text: &[u8]) -> bool {
        self.0 == Digest::of(text)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// Where the platform keeps the data of applications; `None` if the user has
/// no home.
pub fn default_data_folder() -> Option<PathBuf> {
    let strategy = etcetera::choose_app_strategy(etcetera::AppStrategyArgs {
        top_level_domain: String::new(),
        author: String::new(),
        app_name: "fourzero".to_owned(),
    });
    strategy.ok().map(|strategy| strategy.data_dir())
}
