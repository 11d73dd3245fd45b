//! Tests of the node: its router without a socket, and whole processes.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test may fail the test, and clippy exempts only the tests themselves"
)]
#![cfg(unix)]

mod audit;
mod balance_model;
mod balances;
mod calls;
mod commands;
mod fixture;
mod flask_requests;
mod hostile;
mod kill;
mod limits;
mod openapi;
mod peers;
mod replace;
mod soak;
mod strict;
mod support;
