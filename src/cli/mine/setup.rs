//! The queues and options of a run, from its arguments.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use fourzero::batch::{
    Clock, DecimalSeparator, MineOptions, NamedQueue, OutputOptions, Overwrite, ProofMemory,
    ReadBack, Resume, fresh_node_id,
};
use fourzero::bench::Cores;
use fourzero::chain::Format;
use fourzero::pow::{SearchError, Searcher};

use crate::cli::args::MineArgs;

pub(super) fn options(args: &MineArgs) -> MineOptions {
    MineOptions {
        rule: args.rule,
        target: args.difficulty.target,
        block_size: args.block_size,
        recipient: args.recipient.clone().unwrap_or_else(fresh_node_id),
        clock: args.timestamp.map_or(Clock::System, Clock::From),
        strictness: args.strict.strictness(),
        decimal: match args.decimal_comma {
            true => DecimalSeparator::Comma,
            false => DecimalSeparator::Point,
        },
        proof_memory: match args.no_proof_cache {
            true => ProofMemory::Off,
            false => ProofMemory::On,
        },
    }
}

pub(super) fn output_options(args: &MineArgs, path: PathBuf) -> OutputOptions {
    OutputOptions {
        format: args.format.unwrap_or_else(|| Format::of_path(&path)),
        path,
        overwrite: Overwrite::forced(args.force),
        read_back: match args.no_verify {
            true => ReadBack::Skip,
            false => ReadBack::Verify,
        },
        resume: match (args.resume, &args.recipient) {
            (false, _) => Resume::Never,
            (true, Some(_)) => Resume::SameRecipient,
            (true, None) => Resume::JournalsRecipient,
        },
    }
}

/// Starts the search threads. The first, which also reads and writes blocks, is
/// never pinned: the others leave it the first core.
pub(super) fn searcher(args: &MineArgs) -> Result<Searcher, SearchError> {
    let cores = match args.pin {
        true => Cores::allowed(),
        false => Cores::default(),
    };
    let pin = move |index| cores.pin_current_thread(index);
    Searcher::with_thread_setup(args.engine.threads(), args.engine.kernel(), pin)
}

/// Opens the queue in the file `path`, which must not be `output`.
pub(super) fn open_queue(path: &Path, output: &Path) -> anyhow::Result<NamedQueue> {
    let name = path.display();
    let queue = NamedQueue::open(path).with_context(|| format!("cannot open {name}"))?;
    if let (Ok(path), Ok(output)) = (path.canonicalize(), output.canonicalize())
        && path == output
    {
        bail!("{name} is both a queue and the output; name another output");
    }
    Ok(queue)
}
