//! Measuring hashrates: of kernels over numbers of threads ([`sweep()`]), and
//! how much of them mining uses ([`efficiency`]).
//!
//! Other programs may slow the machine for seconds at a time. What is compared
//! is therefore measured in short samples that alternate, and judged by their
//! best and their median.
//!
//! Uses [`crate::pow`] and [`crate::sha256`], and prints nothing.

mod affinity;
mod hashrate;
mod machine;
mod memory;
mod report;
mod sweep;

pub use affinity::Cores;
pub use hashrate::{efficiency, one_thread_rate};
pub use machine::Machine;
pub use memory::peak_memory_bytes;
pub use report::{Change, Chosen, SweepReport, SweepRun};
pub use sweep::{SweepPlan, SweepProgress, default_thread_counts, sweep};
