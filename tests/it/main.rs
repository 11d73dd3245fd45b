//! The command and the library from outside, compared with a second
//! implementation ([`naive`], [`naive_chain`]) that does not use the crate.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test may fail the test, and clippy exempts only the tests themselves"
)]

#[cfg(unix)]
mod bench;
#[cfg(unix)]
mod bench_files;
mod broken_pipes;
mod convert;
mod equivalent_json;
#[cfg(all(unix, feature = "node"))]
mod errors;
mod forks;
#[cfg(unix)]
mod full_pipe;
mod help;
mod hints;
mod hostile;
mod inspect;
#[cfg(unix)]
mod interrupts;
mod known_proofs;
mod mine_chains;
mod mine_each;
mod mine_output;
mod mine_queues;
mod mine_stdout;
mod mine_unreadable;
mod naive;
mod naive_chain;
#[cfg(unix)]
mod permissions;
mod progress;
mod properties;
mod puzzle;
mod python;
mod renames;
mod resume;
mod search;
mod single_bytes;
mod strict;
mod support;
mod terminal;
#[cfg(unix)]
mod unread_stderr;
mod usage;
mod verify_batches;
mod verify_chains;
mod verify_faults;
mod verify_guesses;
mod verify_setups;
mod verify_unreadable;
