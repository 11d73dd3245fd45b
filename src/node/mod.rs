//! The HTTP node: the tutorial's five calls and more, on a persistent chain.
//!
//! | module | owns |
//! |---|---|
//! | `transaction_row`, `tip` | a transaction as a database row; the end of the chain |
//! | `database_problem` | why the database cannot be used, in one line |
//! | `store` | the SQLite database: its tables, reading and writing |
//! | `writer` | the one thread that writes, many changes per commit |
//! | `miner` | searches for proofs, one at a time |
//! | `audit` | verifies the stored chain when the node starts |
//! | `verify` | what a chain is verified against, ours or another's |
//! | `low_priority` | low priority for background threads |
//! | `peers` | other nodes: their addresses, their chains, consensus |
//! | `metrics` | counters for Prometheus |
//! | `state` | the node as a whole |
//! | `origin` | names of the node, and origins of web pages that may call it |
//! | `http` | the router, one handler per file, errors |
//! | `server`, `malformed_requests`, `clock` | connections: limits, time-outs, shutdown |
//! | `import_export` | chains from files and to files |
//!
//! Uses every layer below: [`crate::batch`], [`crate::chain`], [`crate::pow`]
//! and [`crate::sha256`]. [`router`] needs no socket.

mod audit;
mod clock;
mod config;
mod database_problem;
mod error;
mod http;
mod import_export;
mod low_priority;
mod malformed_requests;
mod metrics;
mod miner;
mod origin;
mod peers;
mod server;
mod state;
mod store;
mod tip;
mod transaction_row;
mod verify;
mod writer;

pub use config::{Limits, NodeConfig, Overdraft, Refusal, Token, default_data_folder};
pub use database_problem::DatabaseProblem;
pub use error::NodeError;
pub use http::{openapi, router};
pub use import_export::{ExchangeSummary, IfOccupied, export, import};
pub use origin::{ForeignCall, HostName, HostNameError, Origin, OriginError};
pub use server::serve;
pub use state::Node;
