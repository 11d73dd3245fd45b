//! Other nodes: their addresses, their chains, and which chain replaces ours.

mod address;
mod fetch;
mod resolve;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;
use tokio::sync::watch;

pub(super) use self::address::normalize;

use super::config::NodeConfig;
use super::database_problem::DatabaseProblem;
use super::metrics::Metrics;
use super::store::Readers;
use super::writer::WriterHandle;
use crate::batch::unix_time;
use crate::chain::Verifier;
use crate::pow::Control;

/// Visits peers, and remembers how each visit ended.
#[derive(Debug)]
pub(super) struct PeerBook {
    services: PeerServices,
    /// One resolution at a time. Holds the result of the last one.
    turn: tokio::sync::Mutex<Option<Resolved>>,
    /// Resolutions that have started.
    resolutions: AtomicU64,
    visits: Mutex<BTreeMap<String, Visit>>,
}

/// The parts of the node that peers are compared with.
#[derive(Debug)]
pub(super) struct PeerServices {
    pub(super) config: NodeConfig,
    pub(super) writer: WriterHandle,
    pub(super) readers: Readers,
    pub(super) metrics: Metrics,
    /// Verifies one chain at a time: each uses all threads and much memory.
    pub(super) verifier: Arc<Mutex<Verifier>>,
    /// Cancelled when the node shuts down.
    pub(super) control: Control,
    pub(super) is_closing: watch::Receiver<bool>,
}

/// Why the chains could not be compared.
#[derive(Clone, Debug, Error)]
pub(super) enum ResolveError {
    #[error("the node is shutting down")]
    Closing,
    #[error("the database failed: {0}")]
    Storage(DatabaseProblem),
}

/// How a comparison of the chains ended.
#[derive(Clone, Debug)]
pub(super) enum Resolution {
    Replaced,
    /// Our chain stays. Says of each peer why its chain was not taken; empty
    /// without peers.
    Kept(Arc<str>),
}

/// The result of a resolution.
#[derive(Debug)]
struct Resolved {
    /// Its position in the order of all resolutions, from 1.
    number: u64,
    outcome: Result<Resolution, ResolveError>,
}

/// How the last visit to a peer ended.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    /// Seconds since the epoch.
    pub(super) at: f64,
    /// The number of blocks in its chain, or why the chain was not used.
    pub(super) outcome: Result<u64, String>,
}

impl PeerBook {
    pub(super) fn new(services: PeerServices) -> Self {
        Self {
            services,
            turn: tokio::sync::Mutex::default(),
            resolutions: AtomicU64::new(0),
            visits: Mutex::default(),
        }
    }

    /// How the last visit to a peer ended; `None` before the first.
    pub(super) fn visit(&self, peer: &str) -> Option<Visit> {
        let visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        visits.get(peer).cloned()
    }

    fn note(&self, peer: &str, outcome: Result<u64, String>) {
        if let Err(error) = &outcome {
            self.services.metrics.peer_failures.inc();
            tracing::warn!(peer, error, "skipped a peer");
        }
        let visit = Visit {
            at: unix_time(),
            outcome,
        };
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        visits.insert(peer.to_owned(), visit);
    }
}
