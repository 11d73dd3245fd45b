//! `fourzero puzzle`.

use std::io;

use anyhow::Context as _;
use fourzero::pow::puzzle::{self, Solution};
use serde::Serialize;

use super::args::PuzzleArgs;
use super::exit::Exit;
use super::print;

/// The output of `--json`; `y` and `hash` are null without a solution.
#[derive(Serialize)]
struct PuzzleSummary {
    x: i64,
    y: Option<u64>,
    hash: Option<String>,
}

pub(super) fn run(args: &PuzzleArgs) -> anyhow::Result<Exit> {
    let solution = puzzle::solve(args.x);
    print_solution(args, solution).context(print::FAILED)?;
    Ok(if solution.is_some() {
        Exit::Yes
    } else {
        Exit::No
    })
}

fn print_solution(args: &PuzzleArgs, solution: Option<Solution>) -> io::Result<()> {
    if args.printing.json {
        print::json(&PuzzleSummary {
            x: args.x,
            y: solution.map(|solution| solution.y),
            hash: solution.map(|solution| solution.digest.to_string()),
        })?;
    } else if let Some(solution) = solution {
        print::line(&format!("y = {}", solution.y))?;
        print::line(&format!(
            "sha256(\"{}\") = {}",
            solution.product, solution.digest
        ))?;
    } else {
        print::line("no solution: 0 * y is always 0, and sha256(\"0\") does not end in 0")?;
    }
    Ok(())
}
