//! `fourzero convert`.

use std::fs::File;
use std::io;
use std::time::Instant;

use anyhow::{Context as _, anyhow, bail};
use fourzero::batch::{Overwrite, WholeFile};
use fourzero::bench::AvailableCores;
use fourzero::chain::{
    Conversion, ConvertError, ConvertOptions, Fault, FaultKind, Format, Report, VerifyOptions,
    convert,
};
use fourzero::pow::{Control, Rule};
use serde::Serialize;

use super::args::ConvertArgs;
use super::exit::Exit;
use super::interrupt::{self, WhenStuck};
use super::progress::{self, Progress};
use super::{input, print};

/// The output of `--json`.
#[derive(Serialize)]
struct Summary<'a> {
    input: &'a str,
    output: &'a str,
    format: &'static str,
    blocks: u64,
    bytes: u64,
    seconds: f64,
    verified: bool,
    rule: Option<&'static str>,
}

pub(super) fn run(args: &ConvertArgs) -> anyhow::Result<Exit> {
    let is_stdout = print::is_stdout(&args.output);
    if is_stdout && args.verify {
        bail!(
            "--verify needs a file as output; to verify standard output, pipe it into \
             fourzero verify -"
        );
    }
    if is_stdout && args.printing.json {
        bail!("--json and the chain cannot both go to standard output; name a file");
    }
    let control = Control::new();
    interrupt::install(&control, WhenStuck::Leave)?;
    let converted = if is_stdout {
        to_stdout(args, &control)
    } else {
        to_file(args, &control)
    };
    match converted {
        // The same Ctrl-C may have ended the program that writes the input.
        Err(_) if control.is_cancelled() => {
            print::message(&format!(
                "interrupted; {} was not written",
                args.output.display()
            ));
            Ok(Exit::Interrupted)
        }
        converted => converted,
    }
}

fn to_stdout(args: &ConvertArgs, control: &Control) -> anyhow::Result<Exit> {
    let (source, size) = input::open(&args.input)?;
    let conversion = {
        let _progress = progress(args, size, control);
        let options = options(args, args.format.unwrap_or_default());
        convert(source, io::stdout(), &options, control)
    };
    let conversion = conversion.map_err(|error| failed(args, error, "standard output"))?;
    warn(args, &conversion);
    Ok(Exit::Yes)
}

fn to_file(args: &ConvertArgs, control: &Control) -> anyhow::Result<Exit> {
    let started = Instant::now();
    let name = args.output.display().to_string();
    let format = args.format.unwrap_or_else(|| Format::of_path(&args.output));
    // Fail before reading a long chain.
    let file = interrupt::removed_when_left(&args.output, Overwrite::forced(args.force))?;
    let conversion = read_and_write(args, &file, format, control)?;
    interrupt::work_ends();
    let report = match args.verify {
        true => Some(verify(args, &file.reopen()?, control)?),
        false => None,
    };
    if let Some(fault) = fault(&conversion, report.as_ref()) {
        let chain = input::name(&args.input);
        print::error(&format!(
            "{chain}: invalid: {fault}; {name} was not written"
        ));
        let fault = report.and_then(|report| report.fault);
        let is_link = |fault: &Fault| matches!(fault.kind, FaultKind::PreviousHash { .. });
        let advice = if conversion.links_old_names && fault.as_ref().is_some_and(is_link) {
            Some(LINKS_OLD_NAMES.to_owned())
        } else {
            fault.and_then(|fault| input::question(&fault, &args.input, rule(args), &args.renames))
        };
        if let Some(advice) = advice {
            print::message(&advice);
        }
        return Ok(Exit::No);
    }
    let bytes = file.as_file().metadata().map(|metadata| metadata.len());
    if control.is_cancelled() {
        bail!("cancelled");
    }
    file.commit()?;
    if !args.verify {
        warn(args, &conversion);
    }
    let summary = Summary {
        input: &input::name(&args.input),
        output: &name,
        format: format.name(),
        blocks: conversion.blocks,
        bytes: bytes.unwrap_or(0),
        seconds: started.elapsed().as_secs_f64(),
        verified: args.verify,
        rule: report.and_then(|report| report.rule).map(Rule::name),
    };
    print_summary(args, &summary)
        .with_context(|| format!("{name} was written, but its summary cannot be printed"))?;
    Ok(Exit::Yes)
}

fn read_and_write(
    args: &ConvertArgs,
    file: &WholeFile,
    format: Format,
    control: &Control,
) -> anyhow::Result<Conversion> {
    let (source, size) = input::open(&args.input)?;
    let _progress = progress(args, size, control);
    convert(source, file.as_file(), &options(args, format), control)
        .map_err(|error| failed(args, error, &args.output.display().to_string()))
}

fn options(args: &ConvertArgs, format: Format) -> ConvertOptions {
    ConvertOptions {
        format,
        renames: args.renames.clone(),
    }
}

fn progress(args: &ConvertArgs, size: Option<u64>, control: &Control) -> Progress {
    let line = progress::reading("converting", input::name(&args.input), size);
    Progress::start(control, line)
}

/// The error with the file's name. Keeps the cause visible if it is a closed pipe.
fn failed(args: &ConvertArgs, error: ConvertError, output: &str) -> anyhow::Error {
    match error {
        ConvertError::Write(source) => {
            anyhow::Error::from(source).context(format!("cannot write {output}"))
        }
        ConvertError::Read(error) => {
            let hint = input::hint(&error, &args.input, "convert");
            anyhow!("{}: {error}{hint}", input::name(&args.input))
        }
        error => anyhow!("{}: {error}", input::name(&args.input)),
    }
}

/// Verifies the output file by reading it back.
fn verify(args: &ConvertArgs, written: &File, control: &Control) -> anyhow::Result<Report> {
    let options = VerifyOptions {
        rule: rule(args),
        target: args.difficulty.unwrap_or_default(),
        ..VerifyOptions::default()
    };
    super::verify::start(AvailableCores::here().threads())?
        .verify_file(written, &options, &control.with_fresh_counts())
        .with_context(|| format!("cannot read {} back", args.output.display()))
}

/// The rule to verify; `None` accepts any.
fn rule(args: &ConvertArgs) -> Option<Rule> {
    args.rule.and_then(|choice| choice.0)
}

/// What is wrong with the chain, if it was verified.
fn fault(conversion: &Conversion, report: Option<&Report>) -> Option<String> {
    let report = report?;
    match &report.fault {
        Some(fault) => Some(fault.to_string()),
        None => wrong_length(conversion),
    }
}

fn wrong_length(conversion: &Conversion) -> Option<String> {
    let stated = conversion.wrong_length.as_ref()?;
    Some(format!(
        "length: \"length\" is {stated}, but the chain has {}",
        print::count(conversion.blocks, "block")
    ))
}

/// What renaming did to a chain.
const LINKS_OLD_NAMES: &str =
    "the hashes in this chain were computed from its old names, so the renamed chain is not valid";

fn warn(args: &ConvertArgs, conversion: &Conversion) {
    if conversion.links_old_names {
        print::warning(&format!("{}: {LINKS_OLD_NAMES}", input::name(&args.input)));
    }
    if let Some(problem) = wrong_length(conversion) {
        print::warning(&format!("{}: {problem}", input::name(&args.input)));
    }
}

fn print_summary(args: &ConvertArgs, summary: &Summary<'_>) -> io::Result<()> {
    if args.printing.json {
        return print::json(summary);
    }
    let verdict = match (summary.verified, summary.rule) {
        (false, _) => "not verified".to_owned(),
        (true, None) => "verified".to_owned(),
        (true, Some(rule)) => format!("verified, rule {rule}"),
    };
    print::line(&format!(
        "{}: {} from {}, {verdict}",
        summary.output,
        print::count(summary.blocks, "block"),
        summary.input,
    ))
}
