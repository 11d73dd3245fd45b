//! The HTTP node: the tutorial's five calls and more, on a chain that
//! survives.
//!
//! | module | owns |
//! |---|---|
//! | `entry`, `tip` | a transaction as the database holds it; the end of the chain |
//! | `store` | the SQLite database: its tables, what is written, what is read |
//! | `writer` | the one thread that writes, many changes a commit |
//! | `miner` | whose turn it is to mine, and the search |
//! | `audit` | verifies the stored chain at the start |
//! | `background` | threads that give way to those that answer |
//! | `peers` | addresses of other nodes, their chains, which one replaces ours |
//! | `http` | routes, one handler a file, one shape of error |
//! | `server`, `connection` | connections: limits, time-outs, shutdown |
//! | `exchange` | chains in from files and out to files |
//!
//! Uses every layer below: [`crate::batch`], [`crate::chain`], [`crate::pow`]
//! and [`crate::sha256`]. [`router`] needs no socket.

mod audit;
mod background;
mod config;
mod connection;
mod entry;
mod error;
mod exchange;
mod http;
mod metrics;
mod miner;
mod peers;
mod server;
mod state;
mod store;
mod tip;
mod writer;

pub use config::{Limits, NodeConfig, Token, default_data_folder};
pub use error::NodeError;
pub use exchange::{ExchangeSummary, ExportError, IfOccupied, export, import};
pub use http::{openapi, router};
pub use server::serve;
pub use state::Node;

/// Seconds since the epoch, as Python's `time.time()` gives them.
fn now() -> f64 {
    std::time::SystemTime::now()
        .duration_since(std::time::SystemTime::UNIX_EPOCH)
        .map_or(0.0, |time| time.as_secs_f64())
}
