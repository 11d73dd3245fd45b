//! The hashing stage: the canonical text and hash of each block.

use crossbeam_channel::{Receiver, Sender};

use super::tip::Tip;
use super::{Body, Forged, Sealed};

/// Seals what the miner left open, and returns the end of the chain.
pub(super) fn hash(forged: Receiver<Forged>, sealed: Sender<Sealed>, mut tip: Tip) -> Tip {
    for Forged { blocks, permit } in forged {
        let mut done = Vec::with_capacity(blocks.len());
        for (proof, body) in blocks {
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
    tip
}
