//! Replacing our chain by a staged one, some blocks at a time.
//!
//! Each step is a transaction that leaves a valid chain, longer than ours was,
//! with all pending transactions after it. So other changes can be committed
//! between two steps, and a replacement that stops halfway loses nothing.

use std::collections::{HashMap, VecDeque};
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::params;

use super::balances::{self, BalanceChanges, Move};
use super::database::{BLOCK_TEXT_BYTES, Database};
use super::rows::{has_text, insert_block, insert_entry, last_entry, write_entry};
use super::schema;
use super::staged_chain::{ReplaceError, SharedBlocks, StagedChain};
use crate::chain::json::View;
use crate::node::tip::{TipBlock, member};
use crate::node::transaction_row::TransactionRow;
use crate::pow::Control;
use crate::sha256::Digest;

/// What a replacement did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::node) struct Replacement {
    /// Blocks of the new chain.
    pub(in crate::node) blocks: u64,
    /// Blocks at the start that both chains have.
    pub(in crate::node) common: u64,
    /// Transactions that are pending now.
    pub(in crate::node) pending: u64,
}

/// Transactions that are out of the way of new blocks, with negated ids.
#[derive(Default)]
pub(super) struct Moved {
    /// Their ids by the digest of their text, in order.
    pub(super) ids: HashMap<Digest, VecDeque<i64>>,
    /// The ids of those that do not become pending.
    pub(super) dropped: Vec<i64>,
}

impl StagedChain {
    /// The number of our blocks that the next step keeps. Fails if they are not
    /// those that were compared or appended.
    fn kept_blocks(&self, database: &Database) -> Result<u64, ReplaceError> {
        if let Some(appended) = &self.appended {
            return if database.tip().hash == appended.hash {
                Ok(appended.index)
            } else {
                Err(ReplaceError::Changed(appended.index))
            };
        }
        // Our chain may have grown since, but no other block may have changed.
        if let Some(hash) = self.shared_hash
            && !has_text(&database.connection, self.shared, hash)?
        {
            return Err(ReplaceError::Changed(self.shared));
        }
        Ok(match self.shared_blocks {
            SharedBlocks::Keep => self.shared,
            SharedBlocks::Rewrite => 0,
        })
    }
}

impl Database {
    /// Replaces the whole chain by the verified one in `source` and computes all
    /// balances again, in one commit. This repairs all damage to them.
    pub(in crate::node) fn import(
        &mut self,
        source: impl Read,
        control: &Control,
    ) -> Result<Replacement, ReplaceError> {
        let folder = self.path().parent().unwrap_or_else(|| Path::new("."));
        let shared = SharedBlocks::Rewrite;
        let mut staged = StagedChain::new(&self.connection, source, folder, shared, control)?;
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let replaced = self.replace_step(&mut staged, Duration::MAX, control)?;
        self.balance_changes = BalanceChanges::default();
        balances::rebuild(&self.connection)?;
        self.commit()?;
        Ok(replaced.expect("a step without a time limit appends all blocks"))
    }

    /// Makes the next step of a replacement: appends blocks until our chain is
    /// longer than before and `enough` time has passed. `None` if blocks are
    /// left.
    ///
    /// Part of a transaction of the caller's, who rolls back and gives up the
    /// replacement after an error. Between two steps nothing else may change
    /// the chain.
    pub(in crate::node) fn replace_step(
        &mut self,
        staged: &mut StagedChain,
        enough: Duration,
        control: &Control,
    ) -> Result<Option<Replacement>, ReplaceError> {
        let ours = self.tip().index;
        let mut number = staged.kept_blocks(self)?;
        let begun = Instant::now();
        let mut moved = self.cut(number, staged.shared.max(number))?;
        // Moving the pending transactions takes at most a fifth of the time.
        let enough = enough.max(4 * begun.elapsed());
        let begun = Instant::now();
        self.end.last_entry = last_entry(&self.connection, number)?;
        let mut text = Vec::new();
        let mut is_done = true;
        while staged.read_block(&mut text).map_err(ReplaceError::Stage)? {
            if control.is_cancelled() {
                return Err(ReplaceError::Cancelled);
            }
            number += 1;
            self.append(&text, number, number <= staged.shared, &mut moved)?;
            if number > ours && number < staged.blocks && begun.elapsed() >= enough {
                is_done = false;
                break;
            }
        }
        self.move_back(&moved)?;
        if is_done && number != staged.blocks || !self.reload()? {
            return Err(ReplaceError::Changed(number));
        }
        staged.appended = Some(self.tip().clone());
        Ok(is_done.then(|| Replacement {
            blocks: staged.blocks,
            common: staged.shared,
            pending: self.pending(),
        }))
    }

    /// Removes all blocks after the first `kept`. Moves the pending transactions
    /// and those of blocks after the first `shared` away.
    ///
    /// They become pending if the new chain lacks them. Rewards do not, and
    /// transactions of other nodes' blocks that are too large for one of ours.
    fn cut(&mut self, kept: u64, shared: u64) -> rusqlite::Result<Moved> {
        let connection = &self.connection;
        let [kept_entry, shared_entry] = [
            last_entry(connection, kept)?,
            last_entry(connection, shared)?,
        ];
        // A reward is the last transaction of its block. Others may be from
        // "0" too.
        let mut entries = connection.prepare(
            "SELECT amount, recipient, sender, id,
                 id <= ?2 AND sender = '0' AND id IN (SELECT last_entry FROM blocks)
             FROM entries WHERE id > ?1 ORDER BY id",
        )?;
        let mut rows = entries.query(params![shared_entry, self.end.last_entry_in_block])?;
        let mut text = Vec::new();
        let mut moved = Moved {
            ids: HashMap::new(),
            dropped: Vec::new(),
        };
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(3)?;
            let is_reward: bool = row.get(4)?;
            text.clear();
            write_entry(row, &mut text)?;
            if is_reward || text.len() > BLOCK_TEXT_BYTES {
                if !is_reward {
                    tracing::warn!(
                        bytes = text.len(),
                        "a transaction is too large and is dropped"
                    );
                }
                self.balance_changes.count_row(Move::Remove, row)?;
                moved.dropped.push(id);
            } else {
                if id <= self.end.last_entry_in_block {
                    self.balance_changes.count_row(Move::Return, row)?;
                }
                let equal = moved.ids.entry(Digest::of(&text)).or_default();
                equal.push_back(id);
            }
        }
        connection.execute(
            "DELETE FROM entries WHERE id > ? AND id <= ?",
            [kept_entry, shared_entry],
        )?;
        connection.execute("UPDATE entries SET id = -id WHERE id > ?", [shared_entry])?;
        connection.execute("DELETE FROM blocks WHERE number > ?", [kept as i64])?;
        if kept < self.end.tip.index {
            let generation = self.end.generation + 1;
            schema::set_meta(connection, "generation", &generation.to_string())?;
        }
        Ok(moved)
    }

    /// Appends a block of the new chain. Unless our chain had it too, each of
    /// its transactions uses up a moved one that is equal.
    fn append(
        &mut self,
        text: &[u8],
        number: u64,
        is_shared: bool,
        moved: &mut Moved,
    ) -> Result<(), ReplaceError> {
        let first_entry = self.end.last_entry + 1;
        let transactions =
            member(View::of(text), "transactions").ok_or(ReplaceError::Changed(number))?;
        let mut entry_text = Vec::new();
        for transaction in transactions.elements() {
            let entry = TransactionRow::of(transaction).ok_or(ReplaceError::Changed(number))?;
            self.end.last_entry += 1;
            insert_entry(&self.connection, self.end.last_entry, &entry)?;
            if is_shared {
                continue;
            }
            if !moved.ids.is_empty() {
                entry_text.clear();
                entry.write(&mut entry_text);
                let equal = moved.ids.get_mut(&Digest::of(&entry_text));
                if let Some(id) = equal.and_then(VecDeque::pop_front) {
                    moved.dropped.push(id);
                    self.balance_changes.count(Move::Mine, &entry);
                    continue;
                }
            }
            self.balance_changes.count(Move::Include, &entry);
        }
        self.balance_changes.write_if_many(&self.connection)?;
        let block = TipBlock::of_text(text.to_vec()).ok_or(ReplaceError::Changed(number))?;
        insert_block(&self.connection, &block, first_entry, self.end.last_entry)?;
        Ok(())
    }

    /// Makes the moved transactions pending, except for those to drop.
    pub(super) fn move_back(&self, moved: &Moved) -> rusqlite::Result<()> {
        let mut delete = self
            .connection
            .prepare("DELETE FROM entries WHERE id = -?")?;
        for id in &moved.dropped {
            delete.execute([id])?;
        }
        self.connection.execute(
            "INSERT INTO entries
             SELECT ? + row_number() OVER (ORDER BY id DESC), amount, recipient, sender
             FROM entries WHERE id < 0",
            [self.end.last_entry],
        )?;
        self.connection
            .execute("DELETE FROM entries WHERE id < 0", [])?;
        Ok(())
    }
}
