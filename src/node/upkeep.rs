//! What the database needs when the chain has a new end, beside the thread that
//! writes: a large change is folded from the log into it, and the balances
//! follow the chain.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::watch;

use super::error::NodeError;
use super::priority::give_way;
use super::store::{Balances, checkpoint};

/// Wakes the thread. It ends once this is gone.
#[derive(Debug)]
pub(super) struct Wake {
    sender: SyncSender<()>,
    /// Set once the log was folded in that there was at the last call.
    is_folded: Arc<AtomicBool>,
}

impl Wake {
    /// Asks for the log to be folded in and the balances to be kept up, after
    /// a commit.
    pub(super) fn call(&self) {
        self.is_folded.store(false, Ordering::Release);
        // A thread that is awake already looks once more.
        let (Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(()))) =
            self.sender.try_send(());
    }

    /// Whether the log was folded in since the last call.
    pub(super) fn is_folded(&self) -> bool {
        self.is_folded.load(Ordering::Acquire)
    }
}

/// Starts the thread. `chain` reads the database.
pub(super) fn start(
    chain: Connection,
    balances: Balances,
    is_closing: watch::Receiver<bool>,
) -> Result<(Wake, JoinHandle<()>), NodeError> {
    let (sender, wakes) = sync_channel(1);
    let is_folded = Arc::new(AtomicBool::new(false));
    let wake = Wake {
        sender,
        is_folded: Arc::clone(&is_folded),
    };
    let thread = thread::Builder::new()
        .name("upkeep".to_owned())
        .spawn(move || {
            give_way();
            run(&chain, balances, &wakes, &is_folded, &is_closing);
        })
        .map_err(NodeError::Thread)?;
    Ok((wake, thread))
}

fn run(
    chain: &Connection,
    mut balances: Balances,
    wakes: &Receiver<()>,
    is_folded: &AtomicBool,
    is_closing: &watch::Receiver<bool>,
) {
    loop {
        if let Err(error) = checkpoint(chain) {
            tracing::warn!(%error, "the log could not be folded into the database");
        }
        // After a failure, too: then whoever writes tries.
        is_folded.store(true, Ordering::Release);
        while !*is_closing.borrow() {
            match balances.catch_up(chain) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    // Balances are right without, and only take longer.
                    tracing::warn!(%error, "the balances could not be kept up");
                    break;
                }
            }
        }
        if wakes.recv().is_err() {
            return;
        }
    }
}
