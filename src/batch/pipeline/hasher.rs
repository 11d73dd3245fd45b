//! The hashing stage: the canonical text and hash of each block.

use crossbeam_channel::{Receiver, Sender};

use super::error::MineError;
use super::tip::Tip;
use super::{Body, Forged, Sealed};
use crate::batch::options::MineOptions;

/// Checks every proof with the `sha2` crate, seals what
/// the miner left open, and returns the end of the chain.
pub(super) fn hash(
    forged: Receiver<Forged>,
    sealed: Sender<Sealed>,
    mut tip: Tip,
    options: &MineOptions,
) -> Result<Tip, MineError> {
    let (rule, target) = (options.rule, options.target);
    for Forged { blocks, permit } in forged {
        let mut done = Vec::with_capacity(blocks.len());
        for (proof, body) in blocks {
            if !tip.with_last_block(|last| rule.is_satisfied(last, proof, target)) {
                return Err(MineError::ProofRejected {
                    block: tip.index + 1,
                    proof,
                    rule,
                });
            }
            done.push(match body {
                Body::Open {
                    timestamp,
                    transactions,
                } => tip.append(timestamp, transactions, proof),
                Body::Sealed(block) => {
                    tip.advance(proof, block.hash());
                    block
                }
            });
        }
        let message = Sealed {
            blocks: done,
            _permit: permit,
        };
        if sealed.send(message).is_err() {
            break;
        }
    }
    Ok(tip)
}
