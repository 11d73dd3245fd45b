//! Mines or verifies one file in a new process of this program, so that the peak
//! memory of the process is that of the task.

use std::env;
use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Result, ensure};
use fourzero::batch::{
    MineOptions, NamedQueue, OutputOptions, Overwrite, ReadBack, Resume, mine_to_file,
};
use fourzero::bench::peak_memory_bytes;
use fourzero::chain::{Format, Verifier, VerifyOptions};
use fourzero::pow::{Control, Searcher, Target};
use fourzero::sha256::KernelChoice;
use serde::{Deserialize, Serialize};

use crate::sample::mine_options;

/// The argument before a task.
pub(crate) const COMMAND: &str = "task";

#[derive(Serialize, Deserialize)]
pub(crate) enum Task {
    Mine {
        queue: PathBuf,
        chain: PathBuf,
        rule: String,
        hex_zeros: u16,
        threads: NonZeroUsize,
    },
    Verify {
        chain: PathBuf,
        threads: NonZeroUsize,
    },
}

#[derive(Serialize, Deserialize)]
pub(crate) struct TaskResult {
    /// The size of the chain.
    pub(crate) bytes: u64,
    /// 0 if nothing was mined.
    pub(crate) hashes_needed: u64,
    pub(crate) seconds: f64,
    pub(crate) peak_memory_bytes: Option<u64>,
}

impl TaskResult {
    pub(crate) fn bytes_per_second(&self) -> f64 {
        self.bytes as f64 / self.seconds
    }
}

impl Task {
    pub(crate) fn run_in_new_process(&self) -> Result<TaskResult> {
        let output = Command::new(env::current_exe()?)
            .args([COMMAND, &serde_json::to_string(self)?])
            .stderr(Stdio::inherit())
            .output()?;
        ensure!(output.status.success(), "a task failed: {}", output.status);
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    pub(crate) fn run(&self) -> Result<TaskResult> {
        let control = Control::new();
        let (chain, hashes_needed, seconds) = match self {
            Self::Mine {
                queue,
                chain,
                rule,
                hex_zeros,
                threads,
            } => {
                let options = MineOptions {
                    rule: rule.parse()?,
                    target: Target::from_hex_zeros(*hex_zeros)?,
                    ..mine_options()
                };
                let output = OutputOptions {
                    path: chain.clone(),
                    format: Format::Json,
                    overwrite: Overwrite::Replace,
                    read_back: ReadBack::Skip,
                    resume: Resume::Never,
                };
                let queue = NamedQueue::new("sample", File::open(queue)?);
                let searcher = Searcher::new(*threads, KernelChoice::Measured)?;
                let mined = mine_to_file(vec![queue], &output, &options, &searcher, &control)?;
                (chain, mined.hashes_needed, mined.elapsed.as_secs_f64())
            }
            Self::Verify { chain, threads } => {
                let verifier = Verifier::new(*threads)?;
                let file = File::open(chain)?;
                let started = Instant::now();
                let report = verifier.verify_file(&file, &VerifyOptions::default(), &control)?;
                let seconds = started.elapsed().as_secs_f64();
                ensure!(report.fault.is_none(), "{} is not valid", chain.display());
                (chain, 0, seconds)
            }
        };
        Ok(TaskResult {
            bytes: fs::metadata(chain)?.len(),
            hashes_needed,
            seconds,
            peak_memory_bytes: peak_memory_bytes(),
        })
    }
}

/// Runs a task that is given as JSON, and prints its result as JSON.
pub(crate) fn run(task: &str) -> Result<()> {
    let result = serde_json::from_str::<Task>(task)?.run()?;
    println!("{}", serde_json::to_string(&result)?);
    Ok(())
}
