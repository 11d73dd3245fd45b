//! Replays the corpus: all inputs that reached new code or found a bug.

use std::fs;
use std::path::{Path, PathBuf};

use fourzero_fuzz::TARGETS;

/// The files of a target's folder.
fn inputs(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let mut inputs: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    inputs.sort();
    inputs
}

#[test]
fn every_input_passes_its_target() {
    for (name, target) in TARGETS {
        let inputs = inputs(name);
        assert!(inputs.len() > 10, "{name} has a corpus");
        let mut failed = Vec::new();
        for input in &inputs {
            let bytes = fs::read(input).unwrap();
            if std::panic::catch_unwind(|| target(&bytes)).is_err() {
                failed.push(input);
            }
        }
        assert!(failed.is_empty(), "{name} fails for {failed:#?}");
        println!("{name}: {} inputs", inputs.len());
    }
}

#[test]
fn every_target_accepts_empty_input() {
    for (_, target) in TARGETS {
        target(&[]);
    }
}

#[test]
fn the_independent_canonical_text_is_cpythons() {
    assert!(fourzero_fuzz::vectors().len() > 1_500);
}
