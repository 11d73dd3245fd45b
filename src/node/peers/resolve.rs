//! Which chain is ours: the longest that verifies wholly.

use std::fs::File;
use std::io::Seek as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::task::{self, JoinSet};

use super::fetch::fetch_chain;
use crate::chain::{VerifyError, VerifyOptions};
use crate::node::state::Node;
use crate::node::store::{ReplaceError, Replacement, SharedBlocks, check_start};
use crate::pow::Control;

/// Peers that are asked at once.
const AT_ONCE: usize = 8;

/// Why the chains could not be compared.
#[derive(Clone, Debug, Error)]
pub(in crate::node) enum ResolveError {
    #[error("the node is shutting down")]
    Closing,
    #[error("{0}")]
    Storage(String),
}

/// How a resolution ended.
#[derive(Debug)]
pub(super) struct Resolved {
    /// Resolutions that had begun by its own start, itself included.
    number: u64,
    outcome: Result<Option<Replacement>, ResolveError>,
}

/// A peer's chain that verified and is longer than ours.
struct Candidate {
    node: String,
    blocks: u64,
    file: File,
}

/// Fetches the chain of every peer, and replaces ours by the longest that is
/// longer, verifies under our rule and difficulty, and starts as ours does.
/// A peer that fails is noted and passed over. `None`: ours stays.
///
/// One at a time. All who wait for their turn share the next one's outcome, for
/// it began after they asked: else many calls and a peer that is slow to answer
/// would take up the connections for hours.
pub(in crate::node) async fn resolve(node: &Node) -> Result<Option<Replacement>, ResolveError> {
    let book = &node.shared.peers;
    let asked = book.resolutions.load(Ordering::Relaxed);
    let mut last = book.turn.lock().await;
    if let Some(resolved) = &*last
        && resolved.number > asked
    {
        return resolved.outcome.clone();
    }
    let number = book.resolutions.fetch_add(1, Ordering::Relaxed) + 1;
    let outcome = visit_and_replace(node).await;
    *last = Some(Resolved {
        number,
        outcome: outcome.clone(),
    });
    outcome
}

async fn visit_and_replace(node: &Node) -> Result<Option<Replacement>, ResolveError> {
    let mut closing = node.closing();
    // Cancelled, too, if nobody waits for the answer any more.
    let control = node.shared.peers.control();
    let abandoned = Control::new();
    let _guard = CancelOnDrop(abandoned.clone());
    let longest = tokio::select! {
        longest = visit_all(node, &abandoned) => longest,
        _ = closing.wait_for(|is_closing| *is_closing) => return Err(ResolveError::Closing),
    };
    let Some(Candidate {
        node: peer, file, ..
    }) = longest
    else {
        return Ok(None);
    };
    match replace(node, file, &control).await {
        Ok(replacement) => {
            node.shared
                .metrics
                .chains_replaced
                .fetch_add(1, Ordering::Relaxed);
            tracing::info!(
                peer,
                blocks = replacement.blocks,
                common = replacement.common,
                pending = replacement.pending,
                "our chain was replaced"
            );
            Ok(Some(replacement))
        }
        Err(ReplaceError::Cancelled) => Err(ResolveError::Closing),
        Err(ReplaceError::Database(error)) => Err(ResolveError::Storage(error.to_string())),
        // Ours grew meanwhile.
        Err(ReplaceError::NotLonger { .. }) => Ok(None),
        Err(error) => {
            fail(node, &peer, &error.to_string());
            Ok(None)
        }
    }
}

/// Replaces our chain by the verified one in `file`. All but the writing of
/// the blocks that we lack is done beside the ledger.
async fn replace(node: &Node, file: File, control: &Control) -> Result<Replacement, ReplaceError> {
    let shared = &node.shared;
    let staged = shared
        .readers
        .stage(
            file,
            shared.config.data.clone(),
            SharedBlocks::Keep,
            control.clone(),
        )
        .await?;
    shared.ledger.replace(staged, control.clone()).await
}

/// The longest chain of all peers that is longer than ours. The others' files
/// are gone as soon as a longer one is there.
async fn visit_all(node: &Node, abandoned: &Control) -> Option<Candidate> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut visits = JoinSet::new();
    for peer in node.shared.ledger.peers().iter().cloned() {
        let (node, places, control) = (node.clone(), Arc::clone(&places), abandoned.clone());
        visits.spawn(async move {
            let _place = places.acquire_owned().await;
            let visited = visit(&node, &peer, control).await;
            (peer, visited)
        });
    }
    let mut longest: Option<Candidate> = None;
    while let Some(visited) = visits.join_next().await {
        let Ok((peer, visited)) = visited else {
            continue;
        };
        match visited {
            Ok((blocks, file)) => {
                node.shared.peers.note(&peer, Ok(blocks));
                let most = longest.as_ref().map_or(node.blocks(), |one| one.blocks);
                if blocks > most {
                    longest = Some(Candidate {
                        node: peer,
                        blocks,
                        file,
                    });
                }
            }
            Err(error) => fail(node, &peer, &error),
        }
    }
    longest
}

/// A peer's chain and its number of blocks, if it verifies and starts as ours.
async fn visit(node: &Node, peer: &str, control: Control) -> Result<(u64, File), String> {
    let file = fetch_chain(peer, &node.shared.config.data, &node.shared.config.limits)
        .await
        .map_err(|error| error.to_string())?;
    let options = VerifyOptions {
        rule: Some(node.shared.config.rule),
        target: node.shared.config.target,
        strictness: node.shared.config.strictness,
    };
    let verifier = Arc::clone(&node.shared.peers.verifier);
    let verified = task::spawn_blocking(move || {
        let report = verifier
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .verify_file(&file, &options, &control)?;
        let rewind = || {
            let result = (&file).rewind();
            result.map_err(|error| VerifyError::Read(error.into()))
        };
        rewind()?;
        let start = match report.fault {
            None => check_start(&file),
            // Told of below.
            Some(_) => Ok(()),
        };
        rewind()?;
        Ok::<_, VerifyError>((report, start, file))
    });
    let (report, start, file) = match verified.await {
        Ok(verified) => verified.map_err(|error| format!("its chain cannot be read: {error}"))?,
        Err(_) => return Err("its chain was not verified to the end".to_owned()),
    };
    if let Some(fault) = report.fault {
        return Err(format!("its chain is not valid: {fault}"));
    }
    start.map_err(|error| error.to_string())?;
    Ok((report.blocks, file))
}

fn fail(node: &Node, peer: &str, error: &str) {
    node.shared
        .metrics
        .peer_failures
        .fetch_add(1, Ordering::Relaxed);
    tracing::warn!(peer, error, "a peer was passed over");
    node.shared.peers.note(peer, Err(error.to_owned()));
}

struct CancelOnDrop(Control);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
