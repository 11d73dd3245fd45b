//! Tests of the node: its router without a socket, and whole processes.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test may fail the test, and clippy exempts only the tests themselves"
)]
#![cfg(unix)]

mod addresses;
mod audit;
mod balance_model;
mod balances;
mod calls;
mod clock;
mod commands;
mod fixture;
mod flask_requests;
#[path = "../it/full_pipe.rs"]
mod full_pipe;
mod hostile;
mod kill;
mod limits;
mod lost_database;
mod openapi;
mod peers;
mod read_only;
mod replace;
mod soak;
mod strict;
mod support;
mod unread_log;
mod untaken_chains;
mod web_pages;
