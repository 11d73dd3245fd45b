//! The journal: the chain file while it is being written.
//!
//! # Format
//!
//! The journal of `chain.json` is `chain.json.journal` beside it. Its bytes are
//! the first bytes of the chain file:
//!
//! | format | bytes |
//! |---|---|
//! | JSON | `{"chain": [` B1 `, ` B2 `, ` ... Bn, then (after the last block) `], "length": n}` |
//! | JSON Lines | B1 `\n` B2 `\n` ... Bn `\n` |
//! | array | `[` B1 `, ` B2 `, ` ... Bn, then `]` |
//!
//! Each B is the canonical text of a block. The journal is only ever appended
//! to. To finish a chain, its end is written, synced and read back, and the
//! journal is renamed. So a journal needs no second copy of anything, and
//! `fourzero verify` reads a complete one like any chain.
//!
//! # After a crash
//!
//! Whatever stops a program or a machine leaves whole blocks and then a *tail*:
//! the start of a block, the start of the chain's end, nothing, or NUL bytes
//! where a file system counted bytes that never reached the disk (JSON has no
//! NUL, so the first one ends the text). Resuming drops the tail and mines its
//! block again. Anything else after the whole blocks is damage. It is reported
//! and left unchanged.
//!
//! # What must match
//!
//! No header says how the blocks were mined: the blocks themselves show it.
//! Resuming compares the journal with the queues ([`replay`]). Every byte of
//! every block must be what mining those queues with those options writes,
//! except for the proof, which is checked, and the time, if the system clock
//! gave it. A journal of other queues, another order, rule, difficulty, block
//! size, recipient or first timestamp is refused with the first difference.
//!
//! # When blocks reach the disk
//!
//! A sync begins at most a second after a block was written, and after every
//! 10,000 blocks, on a separate thread ([`writer`]). Syncs run one after
//! another, so a slow disk gets fewer of them, and mining waits for a sync that
//! is more than a second late. Blocks are handed to the system within a
//! twentieth of a second, so a killed program loses less than a machine that
//! stops.
//!
//! # Assumptions
//!
//! What was synced stays; anything else may be there in part, or as NUL bytes. A
//! rename within a folder happens completely or not at all. The advisory lock
//! that a process holds on the journal ([`mod@file`]) ends with the process. On
//! file systems without such locks, mining is refused.

mod block_text;
pub(super) mod error;
pub(super) mod file;
mod option_mismatch;
pub(super) mod replay;
mod text_reader;
pub(super) mod writer;

#[cfg(test)]
mod tests;
