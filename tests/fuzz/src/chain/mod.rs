//! Chain files: all ways to read one must agree with each other and with the
//! simple verifier.

mod generate;
mod simple;

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::num::NonZeroUsize;
use std::sync::{LazyLock, Mutex};

use fourzero::chain::{Report, Strictness, Verifier, VerifyError, VerifyOptions};
use fourzero::pow::{Control, Rule, Target};

use crate::recipe::Recipe;
use crate::slow_reader::SlowReader;

/// One thread and three.
static VERIFIERS: LazyLock<Vec<Verifier>> = LazyLock::new(|| {
    [1, 3]
        .map(|threads| Verifier::new(NonZeroUsize::new(threads).unwrap()).unwrap())
        .into()
});

/// An unnamed file, rewritten for each chain.
static FILE: LazyLock<Mutex<File>> = LazyLock::new(|| Mutex::new(tempfile::tempfile().unwrap()));

/// Reads the bytes as a chain file.
pub fn reader(data: &[u8]) {
    let [one, three] = VERIFIERS.as_slice() else {
        unreachable!("there are two");
    };
    let options = options(None, 1);
    let found = run(one, SlowReader::new(data, usize::MAX), &options);
    for (verifier, most) in [(one, 1), (three, usize::MAX), (three, 3)] {
        let again = run(verifier, SlowReader::new(data, most), &options);
        assert_eq!(again, found, "{most} bytes per read");
    }
    assert_eq!(run_file(data, &options), found, "from a file");
    simple::compare(data, &found, None, 1);
}

/// Uses the bytes as a recipe for a nearly valid chain and its form.
pub fn verify(data: &[u8]) {
    let recipe = &mut Recipe::new(data);
    let asked = recipe.one_of(&[None, Some(0), Some(1), Some(2)]);
    let asked = asked.map(|place: usize| crate::naive::RULES[place]);
    // Two zeros take 256 hashes per block instead of 16.
    let zeros = 1 + recipe.below(16) / 15;
    let step = recipe.one_of(&[usize::MAX, 1, 17, 4_093]);
    let text = generate::file(recipe, zeros);

    let options = options(asked.map(|name| name.parse().unwrap()), zeros as u16);
    let step = if text.len() > 20_000 {
        step.max(4_093)
    } else {
        step
    };
    let mut verdicts = VERIFIERS
        .iter()
        .map(|verifier| run(verifier, SlowReader::new(&text, step), &options));
    let found = verdicts.next().unwrap();
    for again in verdicts {
        assert_eq!(again, found, "with more threads");
    }
    assert_eq!(run_file(&text, &options), found, "from a file");
    simple::compare(&text, &found, asked, zeros);
}

fn options(rule: Option<Rule>, zeros: u16) -> VerifyOptions {
    VerifyOptions {
        rule,
        target: Target::from_hex_zeros(zeros).unwrap(),
        strictness: Strictness::Presence,
    }
}

/// The report or the error.
fn run(
    verifier: &Verifier,
    source: SlowReader<'_>,
    options: &VerifyOptions,
) -> Result<Report, String> {
    let control = Control::new();
    counted(verifier.verify(source, options, &control), &control)
}

/// The same for a file with this text.
fn run_file(text: &[u8], options: &VerifyOptions) -> Result<Report, String> {
    let mut file = FILE.lock().unwrap();
    file.set_len(0).unwrap();
    file.rewind().unwrap();
    file.write_all(text).unwrap();
    let control = Control::new();
    counted(VERIFIERS[1].verify_file(&file, options, &control), &control)
}

fn counted(result: Result<Report, VerifyError>, control: &Control) -> Result<Report, String> {
    if let Ok(report) = &result {
        assert_eq!(control.blocks(), report.blocks);
    }
    result.map_err(|error| error.to_string())
}
