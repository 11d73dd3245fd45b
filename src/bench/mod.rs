//! Measuring: what this machine does ([`sweep()`]), how well the engine uses it
//! ([`efficiency`], [`mine_figures`], [`verify_figures`]), and what changed
//! since ([`compare`]).
//!
//! Machines are shared: a neighbour can take a third of a core for seconds at
//! a time. So everything that is compared is measured in short turns that
//! alternate within one run, and the best and the median of the turns are
//! told.
//!
//! Uses every layer below, and prints nothing.

mod affinity;
mod baseline;
mod figures;
mod machine;
mod rate;
mod report;
mod sample;
mod sha2_rate;
mod sweep;
mod task;
mod turns;

pub use affinity::Cores;
pub use baseline::{Change, compare};
pub use figures::{
    Bound, Figure, Figures, FiguresError, FiguresPlan, RunTask, Sha2Rate, mine_figures,
    verify_figures,
};
pub use machine::Machine;
pub use rate::{Calibration, efficiency, one_thread_rate};
pub use report::{Chosen, Report, Run};
pub use sample::{SampleQueue, compact};
pub use sha2_rate::sha2_bytes_per_second;
pub use sweep::{Pinning, SweepError, SweepPlan, TurnDone, default_thread_counts, sweep};
pub use task::{Measured, Task, TaskError, peak_bytes};
pub use turns::Turns;
