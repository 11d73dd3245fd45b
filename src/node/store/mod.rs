//! The database: one SQLite file in the data folder.
//!
//! One connection writes, others read beside it. The write-ahead log is synced
//! at every commit (`synchronous = FULL`), so committed data survives a crash
//! of the process or a power cut.
//!
//! | module | owns |
//! |---|---|
//! | `schema` | the tables and their versions |
//! | `rows` | how blocks and transactions are written and read |
//! | `balances` | what every name received and sent |
//! | `integrity` | whether the columns agree with the blocks' texts |
//! | `open_files` | whether the open files are still under their names |
//! | `open` | the data folder, its lock, connections |
//! | `staged_chain` | a verified chain that is ready to replace ours |
//! | `readers` | the connections that read |
//! | `database` | the connection that writes: transactions, blocks, peers |
//! | `replace` | replacing our chain by a staged one |
//! | `overdraft` | which transactions are refused because of what their sender has |
//!
//! Each uses only those above it.

mod balances;
mod database;
mod integrity;
mod open;
mod open_files;
mod overdraft;
mod readers;
mod replace;
mod rows;
mod schema;
mod staged_chain;

pub(super) use self::database::{Database, Forged, NewTransaction};
pub(super) use self::integrity::first_damaged;
pub(super) use self::open::{FILE_NAME, FileState, open_for_export, open_reader};
pub(super) use self::open_files::OpenFiles;
pub(super) use self::readers::{PART_BYTES, Readers, chain_part};
pub(super) use self::replace::Replacement;
pub(super) use self::staged_chain::{ReplaceError, SharedBlocks, StagedChain, check_start};
