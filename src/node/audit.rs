//! Whether the stored chain is still what it was: at the start all of it is
//! verified, beside the answering.
//!
//! A disk may rot and people have editors. What is served until the verdict
//! is what was stored; whoever takes it verifies it, too.

use std::io::{self, PipeWriter, Write as _};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use super::config::NodeConfig;
use super::error::NodeError;
use super::ledger::Head;
use super::priority::give_way;
use super::store::{PART_BYTES, chain_part, first_unsound};
use crate::chain::{Report, Strictness, Verifier, VerifyError, VerifyOptions};
use crate::pow::Control;

/// Blocks that are looked at in one state of the database.
const BLOCKS_AT_ONCE: u64 = 256;

/// What is wrong with the stored chain, once that is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Audit(Arc<OnceLock<Damage>>);

#[derive(Debug)]
struct Damage {
    /// The chain's, which another chain may have replaced since.
    generation: u64,
    fault: String,
}

impl Audit {
    /// Starts the thread that verifies the chain up to `head`. `chain` reads
    /// it.
    pub(super) fn start(
        chain: Connection,
        head: Arc<Head>,
        config: &NodeConfig,
        verifier: Arc<Mutex<Verifier>>,
        control: Control,
    ) -> Result<(Self, JoinHandle<()>), NodeError> {
        let audit = Self::default();
        let options = VerifyOptions {
            rule: Some(config.rule),
            target: config.target,
            // An earlier run may have asked less of transactions.
            strictness: Strictness::Presence,
        };
        let thread = {
            let audit = audit.clone();
            move || {
                give_way();
                let verifier = verifier.lock().unwrap_or_else(PoisonError::into_inner);
                let verdict = judge(&chain, &head, &verifier, &options, &control);
                audit.note(&head, verdict);
            }
        };
        let thread = thread::Builder::new()
            .name("audit".to_owned())
            .spawn(thread)
            .map_err(NodeError::Thread)?;
        Ok((audit, thread))
    }

    fn note(&self, head: &Head, verdict: Verdict) {
        let fault = match verdict {
            Verdict::Sound { blocks } => {
                tracing::info!(blocks, "the stored chain is valid");
                return;
            }
            Verdict::Damaged(fault) => fault,
            Verdict::Open => return,
        };
        tracing::error!(fault, "the stored chain is damaged");
        let damage = Damage {
            generation: head.generation,
            fault,
        };
        self.0.get_or_init(|| damage);
    }

    /// What is wrong with the chain that ends in `head`.
    pub(super) fn fault(&self, head: &Head) -> Option<&str> {
        let damage = self.0.get()?;
        (damage.generation == head.generation).then_some(damage.fault.as_str())
    }
}

enum Verdict {
    Sound {
        blocks: u64,
    },
    Damaged(String),
    /// The node shuts down, or the chain was replaced meanwhile by one that was
    /// verified then.
    Open,
}

/// Verifies the texts of the blocks, then what the tables say beside them.
fn judge(
    chain: &Connection,
    head: &Head,
    verifier: &Verifier,
    options: &VerifyOptions,
    control: &Control,
) -> Verdict {
    match verify(chain, head, verifier, options, control) {
        Ok(Some(Report { fault: None, .. })) => {}
        Ok(Some(Report {
            fault: Some(fault), ..
        })) => return Verdict::Damaged(fault.to_string()),
        Ok(None) | Err(VerifyError::Cancelled) => return Verdict::Open,
        Err(error) => return Verdict::Damaged(error.to_string()),
    }
    let blocks = head.tip.index;
    let mut next = 1;
    while next <= blocks {
        if control.is_cancelled() {
            return Verdict::Open;
        }
        let last = blocks.min(next + BLOCKS_AT_ONCE - 1);
        match first_unsound(chain, head.generation, next, last) {
            Ok(Some(block)) if block > last => next = block,
            Ok(Some(block)) => {
                return Verdict::Damaged(format!(
                    "block {block}: what is stored beside its text does not agree with it"
                ));
            }
            Ok(None) => return Verdict::Open,
            Err(error) => return Verdict::Damaged(error.to_string()),
        }
    }
    Verdict::Sound { blocks }
}

/// `None` if the chain was replaced meanwhile.
fn verify(
    chain: &Connection,
    head: &Head,
    verifier: &Verifier,
    options: &VerifyOptions,
    control: &Control,
) -> Result<Option<Report>, VerifyError> {
    let (source, sink) = io::pipe().map_err(|error| VerifyError::Read(error.into()))?;
    thread::scope(|scope| {
        let verifying = scope.spawn(|| verifier.verify(source, options, control));
        // Fails where the verification ended first, which tells why.
        let written = write_chain(chain, head, sink);
        let verdict = verifying
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        match written {
            Ok(false) => Ok(None),
            Err(error) if verdict.is_ok() && error.kind() != io::ErrorKind::BrokenPipe => {
                Err(VerifyError::Read(error.into()))
            }
            _ => verdict.map(Some),
        }
    })
}

/// Writes the chain as a JSON list; `false` if it was replaced.
fn write_chain(chain: &Connection, head: &Head, mut sink: PipeWriter) -> io::Result<bool> {
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
