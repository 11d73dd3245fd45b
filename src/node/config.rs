//! The configuration of a node.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use etcetera::AppStrategy as _;

use super::origin::{ForeignCall, HostName, Origin};
use crate::chain::Strictness;
use crate::pow::{Rule, Target};
use crate::sha256::{Digest, KernelChoice};

/// Everything a node is configured with.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The folder of its database.
    pub data: PathBuf,
    /// The rule of its proofs.
    pub rule: Rule,
    /// Their difficulty.
    pub target: Target,
    /// What is checked in transactions.
    pub strictness: Strictness,
    /// Whether senders may send more than they have.
    pub overdraft: Overdraft,
    /// The number of threads that search for proofs.
    pub threads: NonZeroUsize,
    /// The kernel they use.
    pub kernel: KernelChoice,
    /// Who receives the rewards; `None` uses the id in the database, or creates
    /// one.
    pub node_id: Option<String>,
    /// Required by every call that changes the node.
    pub token: Option<Token>,
    /// Names of the node. Without a token, it is changed only by calls for one of
    /// them, for `localhost` or for an address.
    pub hosts: Vec<HostName>,
    /// Origins whose web pages may call the node. Without a token, pages of other
    /// sites cannot change it.
    pub origins: Vec<Origin>,
    /// Sizes, counts and times.
    pub limits: Limits,
    /// How to allow what the node refuses. Follows the message. Empty by default,
    /// because only the program that starts the node knows its options.
    pub advice: fn(Refusal<'_>) -> String,
    /// Returns how many lines of the log were dropped so far, for `/metrics`.
    pub dropped_log_lines: fn() -> usize,
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
            overdraft: Overdraft::default(),
            threads: NonZeroUsize::MIN,
            kernel: KernelChoice::Measured,
            node_id: None,
            token: None,
            hosts: Vec::new(),
            origins: Vec::new(),
            limits: Limits::default(),
            advice: |_| String::new(),
            dropped_log_lines: || 0,
        }
    }

    /// What is checked in each transaction.
    pub(super) const fn strictness(&self) -> Strictness {
        match self.overdraft {
            Overdraft::Allowed => self.strictness,
            Overdraft::Refused => Strictness::Strict,
        }
    }
}

/// What a node refuses, although its owner may want it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Refusal<'a> {
    /// A call that may come from a foreign web page.
    ForeignCall(&'a ForeignCall),
    /// A peer's chain, because it follows this rule.
    OtherRule(Rule),
}

/// Whether senders may send more than they have: what they received less what
/// they sent, in blocks and pending.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Overdraft {
    /// They may, as in the tutorial.
    #[default]
    Allowed,
    /// They may not. This includes [`Strictness::Strict`]: a negative amount
    /// would take from the recipient.
    Refused,
}

/// The largest sizes, counts and times that a node accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Bytes of all bodies in memory, and again of all unread answers. Callers
    /// beyond it must try again. At least [`Self::body_bytes`], or the largest
    /// bodies are always refused.
    pub all_body_bytes: usize,
    /// Pending transactions.
    pub pending: u64,
    /// Connections at the same time; further ones wait to be accepted.
    pub connections: usize,
    /// Calls of `/mine` that may wait for their turn.
    pub mine_queue: usize,
    /// Time for a request's head, and again for its whole body.
    pub request_time: Duration,
    /// How long a client may stop reading an answer.
    pub unread_time: Duration,
    /// Time for a peer's whole answer.
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

/// A bearer token. Only its digest is kept: no log can reveal the token, nor can
/// the time that a comparison takes.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Digest);

impl Token {
    /// A token with this text.
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

/// The platform's folder for application data; `None` if the user has no home
/// folder.
pub fn default_data_folder() -> Option<PathBuf> {
    let strategy = etcetera::choose_app_strategy(etcetera::AppStrategyArgs {
        top_level_domain: String::new(),
        author: String::new(),
        app_name: "fourzero".to_owned(),
    });
    strategy.ok().map(|strategy| strategy.data_dir())
}
