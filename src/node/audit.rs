//! Verifies the stored chain in the background when the node starts, because
//! disks fail and people edit files.
//!
//! Until the result is known, the chain is served as it is stored. Peers that
//! take it verify it, too.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use super::config::{NodeConfig, Overdraft};
use super::database_problem::DatabaseProblem;
use super::error::NodeError;
use super::low_priority::give_way;
use super::store::{PART_BYTES, chain_part, first_damaged};
use super::verify::verify_options;
use super::writer::ChainHead;
use crate::chain::{FaultKind, Strictness, Verifier, VerifyError, first_overdraft};
use crate::pow::Control;

/// Blocks that are read in one transaction. A longer transaction would keep the
/// write-ahead log from being reused.
const BLOCKS_AT_ONCE: u64 = 256;

/// The damage to the stored chain, once it is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Audit(Arc<OnceLock<Damage>>);

#[derive(Debug)]
struct Damage {
    /// The generation of the damaged chain, which may have been replaced since.
    generation: u64,
    fault: String,
}

impl Audit {
    /// Starts the thread that verifies the chain up to `head`, which `chain`
    /// reads.
    pub(super) fn start(
        mut chain: Connection,
        head: Arc<ChainHead>,
        config: &NodeConfig,
        verifier: Arc<Mutex<Verifier>>,
        control: Control,
    ) -> Result<(Self, JoinHandle<()>), NodeError> {
        let audit = Self::default();
        let config = config.clone();
        let damage = Arc::clone(&audit.0);
        let thread = move || {
            give_way();
            let verifier = verifier.lock().unwrap_or_else(PoisonError::into_inner);
            match check(&mut chain, &head, &verifier, &config, &control) {
                Ok(true) => {
                    tracing::debug!(blocks = head.tip.index, "the stored chain is valid");
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
/// Returns `false` if it stopped early: the node is shutting down, or a verified
/// chain replaced this one. The error says what is damaged.
fn check(
    chain: &mut Connection,
    head: &ChainHead,
    verifier: &Verifier,
    config: &NodeConfig,
    control: &Control,
) -> Result<bool, String> {
    let mut options = verify_options(config);
    let mut refused = None;
    loop {
        let mut stored = StoredChain::new(chain, head);
        let verified = verifier.verify(&mut stored, &options, control);
        if stored.was_replaced {
            return Ok(false);
        }
        match verified.map(|report| report.fault) {
            Ok(None) => break,
            // An earlier run may have been less strict.
            Ok(Some(fault))
                if matches!(fault.kind, FaultKind::Transaction { .. })
                    && options.strictness == Strictness::Strict =>
            {
                refused = Some(fault);
                options.strictness = Strictness::Presence;
            }
            Ok(Some(fault)) => return Err(fault.to_string()),
            Err(VerifyError::Cancelled) => return Ok(false),
            Err(error) => return Err(error.to_string()),
        }
    }
    if refused.is_none() && config.overdraft == Overdraft::Refused {
        let mut stored = StoredChain::new(chain, head);
        let found = first_overdraft(&mut stored, control);
        if stored.was_replaced {
            return Ok(false);
        }
        match found {
            Ok(fault) => refused = fault,
            Err(VerifyError::Cancelled) => return Ok(false),
            Err(error) => return Err(error.to_string()),
        }
    }
    if let Some(fault) = refused {
        tracing::warn!(
            %fault,
            "this node would refuse its stored chain from another node, and other nodes with \
             its options will refuse it"
        );
    }
    let blocks = head.tip.index;
    let mut next = 1;
    while next <= blocks {
        let last = blocks.min(next + BLOCKS_AT_ONCE - 1);
        let checked = first_damaged(chain, head.generation, next, last);
        match checked.map_err(|error| DatabaseProblem::from(error).to_string())? {
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

/// Reads the stored chain as a JSON list, a part at a time.
struct StoredChain<'a> {
    connection: &'a mut Connection,
    head: &'a ChainHead,
    /// The block after `part`.
    next: u64,
    part: io::Cursor<Vec<u8>>,
    was_replaced: bool,
}

impl<'a> StoredChain<'a> {
    fn new(connection: &'a mut Connection, head: &'a ChainHead) -> Self {
        Self {
            connection,
            head,
            next: 1,
            part: io::Cursor::default(),
            was_replaced: false,
        }
    }
}

impl Read for StoredChain<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let last = self.head.tip.index;
        let is_read = self.part.position() == self.part.get_ref().len() as u64;
        if is_read && self.next <= last && !self.was_replaced {
            let (first, generation) = (self.next, self.head.generation);
            let part = chain_part(self.connection, generation, first, last, PART_BYTES);
            let Some(part) =
                part.map_err(|error| io::Error::other(DatabaseProblem::from(error)))?
            else {
                self.was_replaced = true;
                return Ok(0);
            };
            if part.next == first {
                return Err(io::Error::other(format!("block {first} is missing")));
            }
            let before = if first == 1 { "[" } else { ", " };
            let after = if part.next > last { "]" } else { "" };
            let text = [before.as_bytes(), &part.text, after.as_bytes()].concat();
            self.part = io::Cursor::new(text);
            self.next = part.next;
        }
        self.part.read(buffer)
    }
}
