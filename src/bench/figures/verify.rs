//! What verification is held to.

use super::proportion::{self, Chain};
use super::{Bench, Bound, Figure, Figures, FiguresError, FiguresPlan, RunTask};
use crate::bench::task::Task;
use crate::bench::turns::Turns;
use crate::pow::Control;

/// Measures what verification is held to: its share of what the `sha2` crate
/// hashes on as many threads, and whether it costs in proportion.
///
/// # Errors
/// If data cannot be made, verification fails, or `control` is cancelled.
pub fn verify_figures<'a>(
    plan: &'a FiguresPlan,
    run_task: &'a mut RunTask<'a>,
    observe: &'a mut dyn FnMut(&str),
    control: &'a Control,
) -> Result<Figures, FiguresError> {
    let mut bench = Bench::new(plan, run_task, observe, control);
    let mut figures = shares_of_sha2(&mut bench)?;
    figures.extend(proportion::figures(
        &mut bench,
        "verifying",
        |chain, threads| Task::Verify {
            chain: chain.mined(),
            threads,
        },
    )?);
    Ok(bench.finish(figures))
}

fn shares_of_sha2(bench: &mut Bench<'_>) -> Result<Vec<Figure>, FiguresError> {
    let threads = bench.plan.threads;
    (bench.observe)("making a chain to verify");
    let chain = Chain::of_transactions(&bench.plan.folder, bench.plan.transactions);
    chain.write_mined(bench.control)?;
    chain.write_compact()?;
    let texts = [
        ("fourzero's own text", chain.mined(), 0.5),
        ("Flask's compact text", chain.compact(), 0.2),
    ];
    let mut rates = vec![Turns::default(); texts.len()];
    let mut shares = rates.clone();
    for round in bench.rounds() {
        bench.tell("verifying", round)?;
        for (index, (_, path, _)) in texts.iter().enumerate() {
            let sha2 = bench.sha2_turn().all;
            let task = Task::Verify {
                chain: path.clone(),
                threads,
            };
            let rate = bench.task(&task)?.bytes_per_second();
            rates[index].push(rate / 1e6);
            shares[index].push(rate / sha2);
        }
    }
    chain.remove();
    let mut figures = Vec::new();
    for (index, (text, _, least)) in texts.iter().enumerate() {
        let name = format!("verify, {text}, {threads} threads");
        figures.push(Figure::new(name.as_str(), "MB/s", &rates[index], None));
        figures.push(Figure::new(
            format!("{name}: share of sha2"),
            "",
            &shares[index],
            Some(Bound::AtLeast(*least)),
        ));
    }
    Ok(figures)
}
