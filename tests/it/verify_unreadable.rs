//! Files that cannot be read as a chain.

use std::num::NonZeroUsize;

use fourzero::chain::{Verifier, VerifyError, VerifyOptions};
use fourzero::pow::Control;

use crate::naive_chain;
use crate::support::{
    EXPORTED, Ends as _, Folder, data, data_text, exported_blocks, fourzero, shown,
};

/// Contents that are not a chain, with the place and reason of the error.
fn unreadable() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let bytes = |text: &str| text.as_bytes().to_vec();
    vec![
        ("empty", bytes(""), "line 1 column 1: the text ends here"),
        (
            "blank",
            bytes(" \r\n\t\n"),
            "line 3 column 1: the text ends here",
        ),
        ("a number", bytes("42"), "line 1 column 1: found '4'"),
        (
            "a string",
            bytes("\n \"chain\""),
            "line 2 column 2: found '\"'",
        ),
        ("null", bytes("null\n"), "line 1 column 1: found 'n'"),
        (
            "prose",
            bytes("\n\nnot a chain"),
            "line 3 column 1: found 'n'",
        ),
        (
            "HTML",
            bytes("<!doctype html>"),
            "line 1 column 1: found '<'",
        ),
        (
            "an open list",
            bytes("["),
            "line 1 column 2: the text ends here",
        ),
        (
            "an open object",
            bytes("{"),
            "line 1 column 2: the text ends here",
        ),
        (
            "a cut block",
            bytes("[{\"index\":\n 1"),
            "line 2 column 3: the text ends here",
        ),
        (
            "a cut string",
            bytes("[{\"ind"),
            "line 1 column 7: the text ends here",
        ),
        (
            "a cut chain",
            bytes("{\"chain\": [{}\n"),
            "line 2 column 1: the text ends here",
        ),
        (
            "a cut object",
            bytes("{\"chain\": []"),
            "line 1 column 13: the text ends here",
        ),
        (
            "a cut line",
            bytes("{}\n{\"index\": 2"),
            "line 2 column 12: the text ends here",
        ),
        (
            "trailing garbage",
            bytes("{\"chain\": []}\n\nx"),
            "line 3 column 1: found 'x'",
        ),
        ("two arrays", bytes("[]\n[]"), "line 2 column 1: found '['"),
        (
            "garbage in a line",
            bytes("{}\n{}\noops"),
            "line 3 column 1: found 'o'",
        ),
        (
            "two chains",
            bytes("{\"chain\": [],\n\"chain\": []}"),
            "line 2 column 1: a second \"chain\"",
        ),
        (
            "a trailing comma",
            bytes("[{},\n]"),
            "line 2 column 1: found ']'",
        ),
        ("no comma", bytes("[{}\n {}]"), "line 2 column 2: found '{'"),
        (
            "single quotes",
            bytes("[{'index': 1}]"),
            "line 1 column 3: found '\\''",
        ),
        (
            "NaN",
            bytes("[{\"timestamp\": NaN}]"),
            "line 1 column 16: NaN is not JSON",
        ),
        (
            "past a double",
            bytes("[\n{\"timestamp\": 1e999}]"),
            "line 2 column 15: this number is past",
        ),
        (
            "half a surrogate",
            bytes("[{\"a\": \"\\ud800\"}]"),
            "line 1 column 9: \\ud800 is half",
        ),
        (
            "a raw tab",
            bytes("[{\"a\": \"\t\"}]"),
            "line 1 column 9: the control character U+0009",
        ),
        (
            "a leading zero",
            bytes("[{\"index\": 01}]"),
            "line 1 column 13: found '1'",
        ),
        (
            "not UTF-8",
            b"[{\"a\":\n\"\xff\"}]".to_vec(),
            "line 2 column 2: these bytes are not UTF-8",
        ),
        (
            "cut UTF-8",
            b"[{\"a\": \"\xc3\"}]".to_vec(),
            "line 1 column 9: these bytes are not UTF-8",
        ),
        (
            "columns count characters",
            "[{\"é😀\": x}]".into(),
            "line 1 column 9: found 'x'",
        ),
        (
            "UTF-16",
            b"\xff\xfe[\0]\0".to_vec(),
            "this is UTF-16; save the file as UTF-8",
        ),
        (
            "gzip",
            b"\x1f\x8b\x08\0".to_vec(),
            "this is gzip; try: gunzip -c",
        ),
        ("zip", b"PK\x03\x04".to_vec(), "this is a zip archive; "),
    ]
}

#[test]
fn an_unreadable_chain_is_an_error_with_file_line_and_column() {
    let folder = Folder::new();
    for (name, contents, expected) in unreadable() {
        let path = folder.write("chain.json", &contents);
        let run = fourzero().arg("verify").arg(&path).ends_with(2);
        let start = format!("error: {}: {expected}", shown(&path));
        assert!(run.stderr.starts_with(&start), "{name}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{name}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{name}");

        let run = fourzero()
            .args(["verify", "-"])
            .write_stdin(contents)
            .ends_with(2);
        let start = format!("error: standard input: {expected}");
        assert!(run.stderr.starts_with(&start), "{name}: {}", run.stderr);
    }
}

#[test]
fn a_file_that_cannot_be_opened_is_named_with_the_reason() {
    let folder = Folder::new();
    let missing = folder.path("missing.json");
    let run = fourzero()
        .args(["verify", "--json"])
        .arg(&missing)
        .ends_with(2);
    let start = format!("cannot open {}: ", shown(&missing));
    assert!(
        run.stderr.starts_with(&format!("error: {start}")),
        "{}",
        run.stderr
    );
    let told = run.one_json();
    assert_eq!(told["file"], shown(&missing));
    let error = told["error"].as_str().unwrap();
    assert!(error.starts_with(&start), "{error}");

    let directory = folder.path("");
    let run = fourzero().arg("verify").arg(&directory).ends_with(2);
    let start = format!("error: {}: ", shown(&directory));
    assert!(run.stderr.starts_with(&start), "{}", run.stderr);
}

#[test]
fn every_file_is_reported_and_the_worst_exit_code_wins() {
    let folder = Folder::new();
    let valid = data("chain-last-hash.json");
    let invalid = folder.write("invalid.json", "[]");
    let unreadable = folder.write("unreadable.json", "{");
    let missing = folder.path("missing.json");
    for (files, code) in [
        (vec![&valid, &valid], 0),
        (vec![&invalid, &valid], 1),
        (vec![&valid, &unreadable, &invalid], 2),
        (vec![&missing, &invalid, &valid], 2),
        (vec![&unreadable, &missing], 2),
    ] {
        let run = fourzero().arg("verify").args(&files).ends_with(code);
        for file in files {
            let name = format!("{}: ", shown(file));
            let is_readable = file == &valid || file == &invalid;
            let (place, other) = if is_readable {
                (&run.stdout, &run.stderr)
            } else {
                (&run.stderr, &run.stdout)
            };
            assert!(place.contains(&name), "{name}\n{run:?}");
            assert!(!other.contains(&name), "{name}\n{run:?}");
        }
    }
}

#[test]
fn json_output_has_one_object_per_file_readable_or_not() {
    let folder = Folder::new();
    let unreadable = folder.write("unreadable.json", "{");
    let run = fourzero()
        .args(["verify", "--json"])
        .args([&unreadable, &data("chain-last-proof.json")])
        .ends_with(2);
    let lines = run.json();
    assert_eq!(lines.len(), 2);
    let error = serde_json::json!({
        "file": shown(&unreadable),
        "error": "line 1 column 2: the text ends here, but a string as key was expected",
    });
    assert_eq!(lines[0], error);
    assert_eq!(lines[1]["valid"], true);
    assert!(run.stderr.contains("line 1 column 2"), "{}", run.stderr);
}

#[test]
fn a_chain_truncated_anywhere_is_unreadable() {
    let verifier = Verifier::new(NonZeroUsize::MIN).unwrap();
    let verify =
        |text: &str| verifier.verify(text.as_bytes(), &VerifyOptions::default(), &Control::new());
    for (name, _) in EXPORTED {
        let text = data_text(name);
        let text = text.trim_end();
        // Every place in the first two blocks and at the end, and some between.
        let between = (1000..text.len() - 200).step_by(61);
        for cut in (0..1000).chain(between).chain(text.len() - 200..text.len()) {
            let verdict = verify(&text[..cut]);
            assert!(
                matches!(verdict, Err(VerifyError::Read(_))),
                "{name} cut at {cut}: {verdict:?}"
            );
        }
    }
}

#[test]
fn json_lines_truncated_between_blocks_are_a_shorter_chain() {
    let verifier = Verifier::new(NonZeroUsize::MIN).unwrap();
    let mut blocks = exported_blocks("chain-last-hash.json");
    blocks.truncate(4);
    let text = naive_chain::jsonl_file(&blocks);
    for cut in 1..text.len() {
        let verdict = verifier.verify(
            &text.as_bytes()[..cut],
            &VerifyOptions::default(),
            &Control::new(),
        );
        let is_between = text[..cut].ends_with('\n') || text[cut..].starts_with('\n');
        match verdict {
            Ok(report) => {
                assert!(is_between && report.is_valid(), "cut at {cut}: {report:?}");
                assert_eq!(report.blocks, text[..cut].lines().count() as u64);
            }
            Err(error) => assert!(!is_between, "cut at {cut}: {error}"),
        }
    }
}

#[test]
fn an_error_after_many_good_blocks_has_its_line() {
    let folder = Folder::new();
    let mut blocks = exported_blocks("chain-last-hash.json");
    blocks.truncate(3);
    let mut text = naive_chain::jsonl_file(&blocks);
    for _ in 0..5000 {
        text += &blocks[2].canonical();
        text.push('\n');
    }
    text += "{\"index\": 1}, {}";
    let path = folder.write("chain.jsonl", text);
    let run = fourzero().arg("verify").arg(&path).ends_with(2);
    let expected = format!("error: {}: line 5004 column 13: found ','", shown(&path));
    assert!(run.stderr.starts_with(&expected), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}
