//! What the database needs now and then, beside the thread that writes: the
//! log is folded into it, and the balances follow the chain.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::watch;

use super::background::give_way;
use super::error::NodeError;
use super::store::{Balances, checkpoint};

/// Changes after which the log is folded in.
const CHANGES: usize = 2048;

/// Wakes the thread. It ends once this is gone.
#[derive(Debug)]
pub(super) struct Wake {
    sender: SyncSender<()>,
    changes: usize,
}

impl Wake {
    /// Notes that `changes` were committed, and a new end of the chain if
    /// there is one.
    pub(super) fn committed(&mut self, changes: usize, is_new_tip: bool) {
        self.changes += changes;
        if self.changes >= CHANGES || is_new_tip {
            self.changes = 0;
            // A thread that is awake already looks once more.
            let (Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(()))) =
                self.sender.try_send(());
        }
    }
}

/// Starts the thread. `chain` reads the database.
pub(super) fn start(
    chain: Connection,
    balances: Balances,
    is_closing: watch::Receiver<bool>,
) -> Result<(Wake, JoinHandle<()>), NodeError> {
    let (sender, wakes) = sync_channel(1);
    let thread = thread::Builder::new()
        .name("upkeep".to_owned())
        .spawn(move || {
            give_way();
            run(&chain, balances, &wakes, &is_closing);
        })
        .map_err(NodeError::Thread)?;
    Ok((Wake { sender, changes: 0 }, thread))
}

fn run(
    chain: &Connection,
    mut balances: Balances,
    wakes: &Receiver<()>,
    is_closing: &watch::Receiver<bool>,
) {
    loop {
        if let Err(error) = checkpoint(chain) {
            tracing::warn!(%error, "the log could not be folded into the database");
        }
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
