//! Measuring hashrates: of kernels over numbers of threads ([`sweep()`]), and
//! how much of them mining uses ([`efficiency`]).
//!
//! Other programs may slow the machine for seconds at a time. What is compared
//! is therefore measured in short samples that alternate, and judged by their
//! best and their median.
//!
//! Uses [`crate::pow`] and [`crate::sha256`], and prints nothing.

mod affinity;
mod available_cores;
mod cpu_quota;
mod hashrate;
mod machine;
mod memory;
mod report;
mod sweep;

pub use affinity::Cores;
pub use available_cores::AvailableCores;
pub use hashrate::{efficiency, one_thread_rate};
pub use machine::Machine;
pub use memory::peak_memory_bytes;
pub use report::{Change, Chosen, Partial, SweepReport, SweepRun};
pub use sweep::{Sweep, SweepPlan, SweepProgress, default_thread_counts, sweep};
