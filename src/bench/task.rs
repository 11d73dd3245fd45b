//! One mining or one verification, timed in a process of its own, so that its
//! peak memory is its own, too.
//!
//! This module does not start processes: whoever measures brings something
//! that runs a [`Task`] elsewhere and hands back what it [`Measured`].

use std::fs::File;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::batch::{
    Clock, MineOptions, NamedQueue, OutputError, OutputOptions, Overwrite, ReadBack, Resume,
    mine_to_file,
};
use crate::chain::{Format, Verifier, VerifyError, VerifyOptions};
use crate::pow::{Control, Rule, SearchError, Searcher, Target, TargetError};
use crate::sha256::KernelChoice;

/// What to time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Task {
    /// Mining a queue into a chain file, from the first byte read to the last
    /// byte written.
    Mine {
        /// The queue.
        queue: PathBuf,
        /// The chain file, which is replaced if it exists.
        output: PathBuf,
        /// What its proofs are hashed with.
        rule: Rule,
        /// Hex zeros of its proofs.
        zeros: u16,
        /// Search threads.
        threads: NonZeroUsize,
    },
    /// Verifying a chain file.
    Verify {
        /// The chain.
        chain: PathBuf,
        /// Threads that check.
        threads: NonZeroUsize,
    },
}

/// What a task took.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// Bytes of the chain.
    pub bytes: u64,
    /// Nonces that had to be tried, where it was mined.
    pub hashes_needed: u64,
    /// The time.
    pub seconds: f64,
    /// The most memory that the process had resident, where the system tells.
    pub peak_bytes: Option<u64>,
}

impl Measured {
    /// Bytes of the chain a second.
    pub fn bytes_per_second(&self) -> f64 {
        self.bytes as f64 / self.seconds.max(1e-9)
    }
}

/// Why a task was not done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TaskError {
    /// Mining failed.
    #[error(transparent)]
    Mine(#[from] OutputError),
    /// There is no such difficulty.
    #[error(transparent)]
    Difficulty(#[from] TargetError),
    /// The search threads cannot be had.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// Verification came to no verdict.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The chain is not valid, so the time says nothing.
    #[error("the chain that was made does not verify: {0}")]
    Invalid(crate::chain::Fault),
    /// A file cannot be opened, or a thread cannot be started.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Task {
    /// Does it, in this process.
    ///
    /// # Errors
    /// If mining or verifying fails.
    pub fn run(&self, control: &Control) -> Result<Measured, TaskError> {
        let (bytes, hashes_needed, seconds) = match self {
            Self::Mine {
                queue,
                output,
                rule,
                zeros,
                threads,
            } => {
                let options = MineOptions {
                    rule: *rule,
                    target: Target::from_hex_zeros(*zeros)?,
                    ..options()
                };
                let source = NamedQueue::new(queue.display().to_string(), File::open(queue)?);
                let to = OutputOptions {
                    path: output.clone(),
                    format: Format::of_path(output),
                    overwrite: Overwrite::Replace,
                    read_back: ReadBack::Skip,
                    resume: Resume::Never,
                };
                let searcher = Searcher::new(*threads, KernelChoice::Measured)?;
                let summary = mine_to_file(vec![source], &to, &options, &searcher, control)
                    .map_err(|unfinished| *unfinished.error)?;
                let bytes = std::fs::metadata(output)?.len();
                (bytes, summary.hashes_needed, summary.elapsed)
            }
            Self::Verify { chain, threads } => {
                let verifier = Verifier::new(*threads)?;
                let file = File::open(chain)?;
                let bytes = file.metadata()?.len();
                let started = Instant::now();
                let report = verifier.verify_file(&file, &VerifyOptions::default(), control)?;
                let elapsed = started.elapsed();
                if let Some(fault) = report.fault {
                    return Err(TaskError::Invalid(fault));
                }
                (bytes, 0, elapsed)
            }
        };
        Ok(Measured {
            bytes,
            hashes_needed,
            seconds: seconds.as_secs_f64(),
            peak_bytes: peak_bytes(),
        })
    }
}

/// How sample chains are mined: proofs as remembered as they come, and times
/// that do not depend on the clock.
pub(super) fn options() -> MineOptions {
    MineOptions {
        rule: Rule::LastProof,
        clock: Clock::From(1_700_000_000.5),
        ..MineOptions::default()
    }
}

/// The most memory that this process had resident, where the system tells.
#[cfg(target_os = "linux")]
pub fn peak_bytes() -> Option<u64> {
    peak_in_status(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// The most memory that this process had resident, where the system tells.
#[cfg(not(target_os = "linux"))]
pub fn peak_bytes() -> Option<u64> {
    None
}

/// The peak of the resident set in the text of `/proc/PID/status`.
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "Linux only"))]
fn peak_in_status(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::SampleQueue;

    #[test]
    fn a_task_mines_what_another_verifies() {
        let folder = tempfile::tempdir().unwrap();
        let queue = folder.path().join("queue.jsonl");
        std::io::copy(
            &mut SampleQueue::new(100),
            &mut File::create(&queue).unwrap(),
        )
        .unwrap();
        let chain = folder.path().join("chain.json");
        let threads = NonZeroUsize::new(2).unwrap();
        let mine = Task::Mine {
            queue,
            output: chain.clone(),
            rule: Rule::LastProof,
            zeros: 4,
            threads,
        };
        let verify = Task::Verify {
            chain: chain.clone(),
            threads,
        };
        // A second time over the first one's output.
        for _ in 0..2 {
            let mined = mine.run(&Control::new()).unwrap();
            let verified = verify.run(&Control::new()).unwrap();
            assert_eq!(mined.bytes, std::fs::metadata(&chain).unwrap().len());
            assert_eq!(verified.bytes, mined.bytes);
            assert!(mined.seconds > 0.0 && verified.seconds > 0.0);
        }
        // Text that no longer quotes its hashes has no time worth telling.
        let text = std::fs::read_to_string(&chain).unwrap();
        std::fs::write(&chain, text.replacen("account-", "Account-", 1)).unwrap();
        assert!(matches!(
            verify.run(&Control::new()),
            Err(TaskError::Invalid(_))
        ));
    }

    #[test]
    fn the_peak_is_read_as_linux_writes_it() {
        let text = "VmPeak:\t  9000 kB\nVmHWM:\t    5936 kB\nVmRSS:\t  100 kB\n";
        assert_eq!(peak_in_status(text), Some(5936 * 1024));
        assert_eq!(peak_in_status("VmHWM:\tmany kB\n"), None);
    }
}
