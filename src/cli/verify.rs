//! `fourzero verify`.

use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use fourzero::chain::{Report, Verifier, VerifyError, VerifyOptions};
use fourzero::pow::Control;
use serde::Serialize;

use super::args::VerifyArgs;
use super::exit::Exit;
use super::input::{self, InputFile, Unreadable};
use super::interrupt::{self, WhenStuck};
use super::print::{BAD, GOOD};
use super::progress::{self, Progress};
use super::{explain, print};

/// The output of `--json` for a file that could be read.
#[derive(Serialize)]
struct VerifySummary<'a> {
    file: &'a str,
    valid: bool,
    rule: Option<&'static str>,
    blocks: u64,
    transactions: u64,
    rewards: u64,
    fault: Option<FaultSummary>,
}

#[derive(Serialize)]
struct FaultSummary {
    block: u64,
    kind: &'static str,
    message: String,
}

pub(super) fn run(args: &VerifyArgs) -> anyhow::Result<Exit> {
    let options = VerifyOptions {
        rule: args.rule.0,
        target: args.difficulty.target,
        strictness: args.strict.strictness(),
    };
    input::check_stdin(&args.chains)?;
    let verifier = start(args.threads.count())?;
    let control = Control::new();
    interrupt::install(&control, WhenStuck::Leave)?;
    explain::verifying(&options, &args.threads);

    let mut worst = Exit::Yes;
    for path in &args.chains {
        let control = control.with_fresh_counts();
        let name = input::name(path);
        let started = Instant::now();
        let (source, size) = match input::open(path) {
            Ok(opened) => opened,
            Err(error) => {
                let error = format!("{error:#}");
                print::error(&error);
                worst = worst.max(unreadable(args, &name, error).context(print::FAILED)?);
                continue;
            }
        };
        let verdict = {
            let line = progress::reading("verifying", name.clone(), size);
            let _progress = Progress::start(&control, line);
            match source {
                InputFile::File(file) => verifier.verify_file(&file, &options, &control),
                InputFile::Stdin(stdin) => verifier.verify(stdin, &options, &control),
            }
        };
        let exit = match verdict {
            Ok(report) => {
                explain::verified(&name, &report, control.bytes(), started.elapsed());
                let exit = if report.is_valid() {
                    Exit::Yes
                } else {
                    Exit::No
                };
                print_report(args, path, &report).context(print::FAILED)?;
                exit
            }
            Err(VerifyError::Cancelled) => {
                print::message(&format!("interrupted while verifying {name}"));
                return Ok(Exit::Interrupted);
            }
            Err(error) => {
                let hint = match &error {
                    VerifyError::Read(error) => input::hint(error, path, "verify"),
                    VerifyError::Cancelled => String::new(),
                };
                let error = format!("{error}{hint}");
                print::error(&format!("{name}: {error}"));
                unreadable(args, &name, error).context(print::FAILED)?
            }
        };
        worst = worst.max(exit);
    }
    Ok(worst)
}

/// Starts the threads that verify.
///
/// # Errors
/// If the system cannot start them.
pub(super) fn start(threads: NonZeroUsize) -> anyhow::Result<Verifier> {
    Verifier::new(threads).with_context(|| format!("cannot start {threads} threads to verify"))
}

/// Prints the error of a file for `--json`.
fn unreadable(args: &VerifyArgs, file: &str, error: String) -> io::Result<Exit> {
    if args.printing.json {
        print::json(&Unreadable { file, error })?;
    }
    Ok(Exit::Error)
}

fn print_report(args: &VerifyArgs, path: &Path, report: &Report) -> io::Result<()> {
    let name = &input::name(path);
    if args.printing.json {
        return print::json(&VerifySummary {
            file: name,
            valid: report.is_valid(),
            rule: report.rule.map(fourzero::pow::Rule::name),
            blocks: report.blocks,
            transactions: report.transactions,
            rewards: report.rewards,
            fault: report.fault.as_ref().map(|fault| FaultSummary {
                block: fault.block,
                kind: fault.kind.name(),
                message: fault.kind.to_string(),
            }),
        });
    }
    match &report.fault {
        None => {
            let rule = report
                .rule
                .map_or_else(String::new, |rule| format!(", rule {rule}"));
            print::line(&format!(
                "{name}: {GOOD}valid{GOOD:#}: {}, {}{rule}",
                print::count(report.blocks, "block"),
                print::transactions(report.transactions, report.rewards),
            ))
        }
        Some(fault) => {
            print::line(&format!("{name}: {BAD}invalid{BAD:#}: {fault}"))?;
            match input::question(fault, path, args.rule.0, &[]) {
                Some(question) => print::line(&question),
                None => Ok(()),
            }
        }
    }
}
