//! The node from outside: its calls without a socket, and whole processes.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test may fail the test, and clippy exempts only the tests themselves"
)]
#![cfg(unix)]

mod alike;
mod audit;
mod balances;
mod calls;
mod commands;
mod fixture;
mod hostile;
mod kill;
mod limits;
mod peers;
mod replace;
mod soak;
mod support;
