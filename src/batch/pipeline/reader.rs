//! The reading stage: queues into the transactions of blocks.

use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::Pending;
use super::error::MineError;
use crate::batch::budget::Budget;
use crate::batch::named::NamedQueue;
use crate::batch::queue::Queue;
use crate::chain::{Strictness, Transactions};
use crate::pow::Control;

/// The reader hands blocks on once they have so many bytes together ...
const BUNDLE_BYTES: usize = 128 << 10;
/// ... or so long after it handed on the last: waking a thread costs as much
/// as reading a block, but a queue may also come slowly.
const BUNDLE_TIME: Duration = Duration::from_millis(1);

/// Reads every queue, in order, until the miner is gone.
pub(super) fn read(
    queues: Vec<NamedQueue>,
    block_size: NonZeroUsize,
    strictness: Strictness,
    control: &Control,
    pending: &Sender<Result<Pending, MineError>>,
) {
    let budget = Budget::default();
    let mut blocks = Vec::new();
    let mut bytes = 0;
    let mut last_sent = Instant::now();
    let send = |blocks: &mut Vec<Transactions>, bytes: usize| {
        let message = Pending {
            permit: budget.acquire(bytes),
            blocks: std::mem::take(blocks),
        };
        pending.send(Ok(message)).is_ok()
    };
    for NamedQueue { name, source } in queues {
        let source = match source.open() {
            Ok(source) => source,
            Err(error) => {
                let source = error.into();
                let _ = pending.send(Err(MineError::Queue { name, source }));
                return;
            }
        };
        let counted = Counted {
            source,
            control: control.clone(),
        };
        for block in Queue::new(counted, block_size, strictness) {
            match block {
                Ok(transactions) => {
                    bytes += transactions.text_bytes();
                    blocks.push(transactions);
                }
                Err(source) => {
                    // What was read before the error is still mined: an error
                    // of its own there comes first.
                    let _ = blocks.is_empty() || send(&mut blocks, bytes);
                    let _ = pending.send(Err(MineError::Queue { name, source }));
                    return;
                }
            }
            if bytes >= BUNDLE_BYTES || last_sent.elapsed() >= BUNDLE_TIME {
                if !send(&mut blocks, bytes) {
                    return;
                }
                bytes = 0;
                last_sent = Instant::now();
            }
        }
    }
    if !blocks.is_empty() {
        send(&mut blocks, bytes);
    }
}

/// Counts the bytes that are read.
struct Counted {
    source: Box<dyn Read + Send>,
    control: Control,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.control.add_bytes(count as u64);
        Ok(count)
    }
}
