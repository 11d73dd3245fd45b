//! The journal: the chain file while it is still being written.
//!
//! # Format
//!
//! The journal of `chain.json` is `chain.json.journal` beside it. Its bytes
//! are those of the chain file, as far as they go:
//!
//! | format | bytes |
//! |---|---|
//! | JSON | `{"chain": [` B1 `, ` B2 `, ` ... Bn, then (once all is mined) `], "length": n}` |
//! | JSON Lines | B1 `\n` B2 `\n` ... Bn `\n` |
//! | array | `[` B1 `, ` B2 `, ` ... Bn, then `]` |
//!
//! where each B is the canonical text of a block. It is only ever appended
//! to, and finishing a chain is to write its end, sync it, read it back and
//! rename it. So a journal costs no second copy of anything, and
//! `fourzero verify` reads a finished one like any chain.
//!
//! # What may be at its end
//!
//! Whatever stops a program or a machine leaves whole blocks and then a
//! *tail*: the start of a block, the start of the chain's end, nothing, or
//! NUL bytes where a file system counted bytes that never reached the disk
//! (JSON has no NUL, so the first one ends the text). The tail is dropped when
//! work goes on, and its block is mined again. Anything else behind the whole
//! blocks is damage, which is refused and left as it is.
//!
//! # What has to agree
//!
//! There is no header that says how the blocks were mined: they say it
//! themselves. Going on replays the queues against the journal
//! ([`replay`]): every byte of every block is what mining those queues
//! with those options would write, but for the proof, which is checked, and
//! the time, where the clock gave it. A journal of other queues, another
//! order, rule, difficulty, block size, recipient or start of time is
//! refused with the first difference.
//!
//! # When it is on the disk
//!
//! Syncing begins at the latest a second after a block was written, and after
//! every 10,000 blocks, on a thread of its own ([`writer`]); one sync after
//! another, so a slow disk gets fewer, and mining waits for one that is more
//! than a second behind. Blocks are handed to the system within a twentieth of
//! a second: a program that is killed loses less than one whose machine stops.
//!
//! # Assumptions
//!
//! What was synced stays; what was not may be there in part, or as NUL bytes.
//! A rename within a folder happens wholly or not at all. The advisory lock
//! that a process holds on the journal ([`mod@file`]) goes when the process does;
//! on file systems without such locks, mining is refused.

mod block;
mod coincidence;
pub(super) mod error;
pub(super) mod file;
mod next_block;
pub(super) mod replay;
mod text;
pub(super) mod writer;

#[cfg(test)]
mod tests;
