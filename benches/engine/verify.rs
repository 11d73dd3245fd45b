//! Verifying: its rate as a share of the rate of `sha2` on as many threads, and
//! its rates over several sizes.

use anyhow::Result;

use crate::measurement::{Goal, print};
use crate::sample::SampleFiles;
use crate::task::Task;
use crate::{Bench, sizes};

pub(crate) fn measure(bench: &mut Bench) -> Result<()> {
    share_of_sha2(bench)?;
    let files: Vec<_> = bench
        .args
        .sizes
        .iter()
        .map(|megabytes| SampleFiles::of_megabytes(bench.folder, *megabytes))
        .collect();
    for files in &files {
        mine(bench, files)?;
    }
    let threads = bench.args.threads;
    sizes::measure(bench, "verifying", &files, |files| Task::Verify {
        chain: files.chain.clone(),
        threads,
    })?;
    files.iter().for_each(SampleFiles::remove);
    Ok(())
}

/// Makes the chain to verify.
fn mine(bench: &Bench, files: &SampleFiles) -> Result<()> {
    eprintln!("mining {}", files.chain.display());
    files.write_queue()?;
    let task = Task::Mine {
        queue: files.queue.clone(),
        chain: files.chain.clone(),
        rule: "last-proof".to_owned(),
        hex_zeros: 4,
        threads: bench.args.threads,
    };
    task.run().map(drop)
}

fn share_of_sha2(bench: &mut Bench) -> Result<()> {
    let threads = bench.args.threads;
    let files = SampleFiles::of_transactions(bench.folder, bench.args.transactions);
    mine(bench, &files)?;
    files.write_compact()?;
    let texts = [
        ("fourzero's own text", &files.chain, 0.5),
        ("Flask's compact text", &files.compact, 0.2),
    ];
    let (mut rates, mut shares) = ([vec![], vec![]], [vec![], vec![]]);
    for _ in bench.rounds("verifying") {
        for (index, (_, chain, _)) in texts.iter().enumerate() {
            let [_, sha2] = bench.sha2_round();
            let chain = chain.to_path_buf();
            let result = Task::Verify { chain, threads }.run_in_new_process()?;
            rates[index].push(result.bytes_per_second() / 1e6);
            shares[index].push(result.bytes_per_second() / sha2);
        }
    }
    for (index, (text, _, target)) in texts.into_iter().enumerate() {
        let name = format!("verify, {text}, {threads} threads");
        print(&name, "MB/s", &rates[index], Goal::High);
        let name = format!("{name}: share of sha2");
        print(&name, "", &shares[index], Goal::AtLeast(target));
    }
    files.remove();
    Ok(())
}
