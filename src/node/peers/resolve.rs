//! Consensus: the longest valid chain becomes ours.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Seek as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::task;

use super::fetch::fetch_chain;
use super::{PeerBook, Resolution, ResolveError, Resolved};
use crate::chain::{FaultKind, Report, VerifyError, VerifyOptions};
use crate::node::config::Refusal;
use crate::node::store::{ReplaceError, Replacement, SharedBlocks, check_start};
use crate::node::verify::{verify_file, verify_options};
use crate::pow::Control;

/// Peers that are visited at the same time.
const AT_ONCE: usize = 8;

/// A peer's chain that is valid and longer than ours.
struct LongerChain {
    peer: String,
    blocks: u64,
    file: File,
}

/// What was found at each peer, in words.
type Findings = BTreeMap<String, String>;

impl PeerBook {
    /// Fetches the chain of every peer, and replaces ours with the longest one
    /// if that is longer, valid under our rule and difficulty, and starts as
    /// ours does. Peers that fail are skipped.
    ///
    /// Resolutions run one at a time. All calls that wait share the result of
    /// the next one, because it starts after they came: otherwise many calls
    /// and a slow peer would occupy the connections for hours.
    pub(in crate::node) async fn resolve(&self) -> Result<Resolution, ResolveError> {
        let asked = self.resolutions.load(Ordering::Relaxed);
        let mut last = self.turn.lock().await;
        if let Some(resolved) = &*last
            && resolved.number > asked
        {
            return resolved.outcome.clone();
        }
        let number = self.resolutions.fetch_add(1, Ordering::Relaxed) + 1;
        let outcome = self.visit_and_replace().await;
        *last = Some(Resolved {
            number,
            outcome: outcome.clone(),
        });
        outcome
    }

    async fn visit_and_replace(&self) -> Result<Resolution, ResolveError> {
        let mut is_closing = self.services.is_closing.clone();
        let (longest, mut findings) = tokio::select! {
            visited = self.visit_all() => visited,
            _ = is_closing.wait_for(|is_closing| *is_closing) => return Err(ResolveError::Closing),
        };
        let Some(LongerChain { peer, file, .. }) = longest else {
            return Ok(kept(&findings));
        };
        match self.replace(file).await {
            Ok(replacement) => {
                self.services.metrics.chains_replaced.inc();
                tracing::info!(
                    peer,
                    blocks = replacement.blocks,
                    common = replacement.common,
                    pending = replacement.pending,
                    "replaced our chain"
                );
                Ok(Resolution::Replaced)
            }
            Err(ReplaceError::Cancelled) => Err(ResolveError::Closing),
            Err(ReplaceError::Database(error)) => Err(ResolveError::Storage(error.into())),
            Err(error) => {
                let finding = error.to_string();
                // Otherwise our chain grew meanwhile.
                if !matches!(error, ReplaceError::NotLonger { .. }) {
                    self.note(&peer, Err(finding.clone()));
                }
                findings.insert(peer, finding);
                Ok(kept(&findings))
            }
        }
    }

    /// Replaces our chain with the verified one in `file`. The writer thread
    /// writes only the blocks that we lack; the rest happens beside it.
    async fn replace(&self, file: File) -> Result<Replacement, ReplaceError> {
        let services = &self.services;
        let control = services.control.with_fresh_counts();
        let folder = services.config.data.clone();
        let staged = services
            .readers
            .stage(file, folder, SharedBlocks::Keep, control.clone())
            .await?;
        services.writer.replace(staged, control).await
    }

    /// The longest chain of all peers that is longer than ours, and what was
    /// found at each peer. Dropping the future cancels the verifications.
    async fn visit_all(&self) -> (Option<LongerChain>, Findings) {
        let writer = &self.services.writer;
        let abandoned = CancelOnDrop(Control::new());
        let peers = writer.peers();
        let mut visits = stream::iter(peers.iter().cloned())
            .map(async |peer| {
                let visited = self.fetch_and_verify(&peer, abandoned.0.clone()).await;
                (peer, visited)
            })
            .buffer_unordered(AT_ONCE);
        let mut longest: Option<LongerChain> = None;
        let mut findings = Findings::new();
        while let Some((peer, visited)) = visits.next().await {
            let outcome = visited.as_ref().map(|(blocks, _)| *blocks);
            self.note(&peer, outcome.map_err(Clone::clone));
            let ours = writer.head().tip.index;
            let finding = match &visited {
                Ok((theirs, _)) if *theirs > ours => format!("its chain has {theirs} blocks"),
                Ok((theirs, _)) => format!("its chain is not longer: {theirs} blocks, ours {ours}"),
                Err(error) => error.clone(),
            };
            findings.insert(peer.clone(), finding);
            let most = longest.as_ref().map_or(ours, |one| one.blocks);
            if let Ok((blocks, file)) = visited
                && blocks > most
            {
                longest = Some(LongerChain { peer, blocks, file });
            }
        }
        (longest, findings)
    }

    /// The number of blocks and the file of a peer's chain, if the chain is
    /// valid and starts as ours does.
    async fn fetch_and_verify(&self, peer: &str, control: Control) -> Result<(u64, File), String> {
        let config = &self.services.config;
        let file = fetch_chain(peer, &config.data, &config.limits)
            .await
            .map_err(|error| error.to_string())?;
        let expected = config.clone();
        let verifier = Arc::clone(&self.services.verifier);
        let verified = task::spawn_blocking(move || {
            let verifier = verifier.lock().unwrap_or_else(PoisonError::into_inner);
            let mut report = verify_file(&verifier, &file, &expected, &control)?;
            if has_wrong_proof(&report) {
                let options = VerifyOptions {
                    rule: None,
                    ..verify_options(&expected)
                };
                let other = verifier.verify_file(&file, &options, &control)?;
                if other.is_valid() {
                    report = other;
                }
            }
            drop(verifier);
            let rewind = || {
                let result = (&file).rewind();
                result.map_err(|error| VerifyError::Read(error.into()))
            };
            rewind()?;
            let start = match report.fault {
                None => check_start(&file),
                // Reported below.
                Some(_) => Ok(()),
            };
            rewind()?;
            Ok::<_, VerifyError>((report, start, file))
        });
        let (report, start, file) = verified
            .await
            .map_err(|_| "its chain was not verified to the end".to_owned())?
            .map_err(|error| format!("its chain cannot be read: {error}"))?;
        if let Some(fault) = report.fault {
            return Err(format!("its chain is not valid: {fault}"));
        }
        start.map_err(|error| error.to_string())?;
        match report.rule {
            Some(rule) if rule != config.rule => Err(format!(
                "its chain of {} blocks is valid under the rule {rule}, but the rule here is {}{}",
                report.blocks,
                config.rule,
                (config.advice)(Refusal::OtherRule(rule))
            )),
            _ => Ok((report.blocks, file)),
        }
    }
}

fn has_wrong_proof(report: &Report) -> bool {
    let fault = report.fault.as_ref();
    fault.is_some_and(|fault| matches!(fault.kind, FaultKind::Proof { .. }))
}

fn kept(findings: &Findings) -> Resolution {
    let lines: Vec<_> = findings
        .iter()
        .map(|(peer, finding)| format!("{peer}: {finding}"))
        .collect();
    Resolution::Kept(lines.join(". ").into())
}

struct CancelOnDrop(Control);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
