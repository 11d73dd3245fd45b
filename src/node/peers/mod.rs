//! Other nodes: their addresses, their chains, and which one replaces ours.

mod address;
mod fetch;
mod resolve;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

pub(super) use self::address::normalize;
pub(super) use self::resolve::{ResolveError, resolve};

use self::resolve::Resolved;
use super::background::made_in_background;
use super::config::NodeConfig;
use super::error::NodeError;
use crate::chain::Verifier;
use crate::pow::Control;

/// What is known of the peers beside their addresses.
#[derive(Debug)]
pub(super) struct PeerBook {
    /// One chain at a time: a block of it may be huge, and every thread is at
    /// work on it anyway.
    verifier: Arc<Mutex<Verifier>>,
    /// Cancelled when the node shuts down.
    control: Control,
    /// One resolution at a time. It holds the last one's end.
    turn: tokio::sync::Mutex<Option<Resolved>>,
    /// Resolutions that have begun.
    resolutions: AtomicU64,
    visits: Mutex<BTreeMap<String, Visit>>,
}

/// How the last visit to a peer ended.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    /// Seconds since the epoch.
    pub(super) at: f64,
    /// The number of blocks of its chain, or why it could not be used.
    pub(super) outcome: Result<u64, String>,
}

impl PeerBook {
    pub(super) fn new(config: &NodeConfig) -> Result<Self, NodeError> {
        Ok(Self {
            verifier: Arc::new(Mutex::new(made_in_background(|| {
                Verifier::new(config.threads).map_err(NodeError::Thread)
            })?)),
            control: Control::new(),
            turn: tokio::sync::Mutex::default(),
            resolutions: AtomicU64::new(0),
            visits: Mutex::default(),
        })
    }

    pub(super) fn verifier(&self) -> Arc<Mutex<Verifier>> {
        Arc::clone(&self.verifier)
    }

    /// Cancelled when the node shuts down.
    pub(super) fn control(&self) -> Control {
        self.control.with_fresh_counts()
    }

    pub(super) fn cancel(&self) {
        self.control.cancel();
    }

    fn note(&self, node: &str, outcome: Result<u64, String>) {
        let visit = Visit {
            at: super::now(),
            outcome,
        };
        self.visits
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(node.to_owned(), visit);
    }

    pub(super) fn visit(&self, node: &str) -> Option<Visit> {
        self.visits
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(node)
            .cloned()
    }
}
