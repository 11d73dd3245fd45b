//! Mines a queue file into a verified chain file, as `fourzero mine` does.
//!
//! ```sh
//! cargo run --release --locked --example mine_queue -- tests/data/queue.jsonl mined.json
//! ```

use std::env;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::Context as _;
use fourzero::batch::{
    MineOptions, NamedQueue, OutputOptions, Overwrite, ReadBack, Resume, mine_to_file,
};
use fourzero::chain::Format;
use fourzero::pow::{Control, Rule, Searcher};
use fourzero::sha256::KernelChoice;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [queue, chain] = arguments.as_slice() else {
        anyhow::bail!("usage: mine_queue QUEUE CHAIN");
    };
    let queue =
        NamedQueue::open(Path::new(queue)).with_context(|| format!("cannot open {queue}"))?;
    let path = PathBuf::from(chain);
    let output = OutputOptions {
        format: Format::of_path(&path),
        path,
        overwrite: Overwrite::Never,
        read_back: ReadBack::Verify,
        resume: Resume::Never,
    };
    let options = MineOptions {
        rule: Rule::LastHash,
        recipient: "me".to_owned(),
        ..MineOptions::default()
    };
    let searcher = Searcher::new(thread::available_parallelism()?, KernelChoice::Measured)?;
    let summary = mine_to_file(vec![queue], &output, &options, &searcher, &Control::new())?;
    println!(
        "{chain}: {} blocks, {} transactions, {:.1} MH/s",
        summary.blocks,
        summary.transactions,
        summary.hashrate() / 1e6
    );
    println!("last hash: {}", summary.last_hash);
    Ok(())
}
