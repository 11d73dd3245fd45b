//! Verifies the stored chain at the start, in the background: disks fail, and
//! people edit files.
//!
//! Until the result is known, the chain is served as it is stored. Whoever
//! takes it verifies it too.

use std::io::{self, PipeWriter, Write as _};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use super::background::give_way;
use super::config::NodeConfig;
use super::error::NodeError;
use super::store::{PART_BYTES, chain_part, first_damaged};
use super::writer::ChainHead;
use crate::chain::{Report, Strictness, Verifier, VerifyError, VerifyOptions};
use crate::pow::Control;

/// Blocks that are checked in one state of the database. A longer read would
/// keep the write-ahead log from being reused.
const BLOCKS_AT_ONCE: u64 = 256;

/// The damage to the stored chain, once it is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Audit(Arc<OnceLock<Damage>>);

#[derive(Debug)]
struct Damage {
    /// That of the damaged chain. Another chain may have replaced it since.
    generation: u64,
    fault: String,
}

impl Audit {
    /// Starts the thread that verifies the chain up to `head`, which `chain`
    /// reads.
    pub(super) fn start(
        chain: Connection,
        head: Arc<ChainHead>,
        config: &NodeConfig,
        verifier: Arc<Mutex<Verifier>>,
        control: Control,
    ) -> Result<(Self, JoinHandle<()>), NodeError> {
        let audit = Self::default();
        let options = VerifyOptions {
            rule: Some(config.rule),
            target: config.target,
            // An earlier run may have been less strict with transactions.
            strictness: Strictness::Presence,
        };
        let damage = Arc::clone(&audit.0);
        let thread = move || {
            give_way();
            let verifier = verifier.lock().unwrap_or_else(PoisonError::into_inner);
            match check(&chain, &head, &verifier, &options, &control) {
                Ok(true) => {
                    tracing::info!(blocks = head.tip.index, "the stored chain is valid");
                }
                Ok(false) => {}
                Err(fault) => {
                    tracing::error!(fault, "the stored chain is damaged");
                    damage.get_or_init(|| Damage {
                        generation: head.generation,
                        fault,
                    });
                }
            }
        };
        let thread = thread::Builder::new()
            .name("audit".to_owned())
            .spawn(thread)
            .map_err(NodeError::Thread)?;
        Ok((audit, thread))
    }

    /// The damage to the chain that ends in `head`, if any is known.
    pub(super) fn fault(&self, head: &ChainHead) -> Option<&str> {
        let damage = self.0.get()?;
        (damage.generation == head.generation).then_some(damage.fault.as_str())
    }
}

/// Verifies the texts of the blocks, then the columns derived from them.
/// `false` if there is no result: the node shuts down, or the chain was
/// replaced by one that was verified then. The error says what is damaged.
fn check(
    chain: &Connection,
    head: &ChainHead,
    verifier: &Verifier,
    options: &VerifyOptions,
    control: &Control,
) -> Result<bool, String> {
    match verify(chain, head, verifier, options, control) {
        Ok(Some(Report { fault: None, .. })) => {}
        Ok(Some(Report {
            fault: Some(fault), ..
        })) => return Err(fault.to_string()),
        Ok(None) | Err(VerifyError::Cancelled) => return Ok(false),
        Err(error) => return Err(error.to_string()),
    }
    let blocks = head.tip.index;
    let mut next = 1;
    while next <= blocks {
        let last = blocks.min(next + BLOCKS_AT_ONCE - 1);
        let checked = first_damaged(chain, head.generation, next, last);
        match checked.map_err(|error| error.to_string())? {
            Some(block) if block <= last => {
                return Err(format!(
                    "block {block}: the columns beside its text do not agree with it"
                ));
            }
            Some(block) if !control.is_cancelled() => next = block,
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Verifies the texts of the blocks; `None` if the chain was replaced.
fn verify(
    chain: &Connection,
    head: &ChainHead,
    verifier: &Verifier,
    options: &VerifyOptions,
    control: &Control,
) -> Result<Option<Report>, VerifyError> {
    let (source, sink) = io::pipe().map_err(|error| VerifyError::Read(error.into()))?;
    thread::scope(|scope| {
        let verifying = scope.spawn(|| verifier.verify(source, options, control));
        let written = write_chain(chain, head, sink);
        let verified = verifying
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        match written {
            Ok(false) => Ok(None),
            // A broken pipe: the verification ended first, and says why.
            Err(error) if verified.is_ok() && error.kind() != io::ErrorKind::BrokenPipe => {
                Err(VerifyError::Read(error.into()))
            }
            _ => verified.map(Some),
        }
    })
}

/// Writes the chain as a JSON list; `false` if it was replaced meanwhile.
fn write_chain(chain: &Connection, head: &ChainHead, mut sink: PipeWriter) -> io::Result<bool> {
    let last = head.tip.index;
    let mut next = 1;
    sink.write_all(b"[")?;
    while next <= last {
        let part =
            chain_part(chain, head.generation, next, last, PART_BYTES).map_err(io::Error::other)?;
        let Some(part) = part else {
            return Ok(false);
        };
        if part.next == next {
            return Err(io::Error::other(format!("block {next} is missing")));
        }
        if next > 1 {
            sink.write_all(b", ")?;
        }
        sink.write_all(&part.text)?;
        next = part.next;
    }
    sink.write_all(b"]")?;
    Ok(true)
}
