//! Files that cannot be read as a chain.

use std::num::NonZeroUsize;

use fourzero::chain::{Verifier, VerifyError, VerifyOptions};
use fourzero::pow::Control;

use crate::naive_chain;
use crate::support::{
    EXPORTED, Ends as _, Folder, data, data_text, exported_blocks, fourzero, shown,
};

/// Contents that are not a chain, with the place of the error.
const UNREADABLE: [(&[u8], &str); 35] = [
    (b"", "line 1 column 1"),
    (b" \r\n\t\n", "line 3 column 1"),
    (b"42", "line 1 column 1"),
    (b"\n \"chain\"", "line 2 column 2"),
    (b"null\n", "line 1 column 1"),
    (b"\n\nnot a chain", "line 3 column 1"),
    // Cut short.
    (b"[", "line 1 column 2"),
    (b"{", "line 1 column 2"),
    (b"[{\"index\":\n 1", "line 2 column 3"),
    (b"[{\"ind", "line 1 column 7"),
    (b"{\"chain\": [{}\n", "line 2 column 1"),
    (b"{\"chain\": []", "line 1 column 13"),
    (b"{\"proof\": 1}\n{\"index\": 2", "line 2 column 12"),
    // More than a chain.
    (b"{\"chain\": []}\n\nx", "line 3 column 1"),
    (b"[]\n[]", "line 2 column 1"),
    (b"{\"proof\": 1}\n{}\noops", "line 3 column 1"),
    (b"{\"chain\": [],\n\"chain\": []}", "line 2 column 1"),
    // Not JSON.
    (b"[{\"proof\": 1},\n]", "line 2 column 1"),
    (b"[{\"proof\": 1}\n {}]", "line 2 column 2"),
    (b"[{'index': 1}]", "line 1 column 3"),
    (b"[{\"timestamp\": NaN}]", "line 1 column 16"),
    (b"[\n{\"timestamp\": 1e999}]", "line 2 column 15"),
    (b"[{\"a\": \"\\ud800\"}]", "line 1 column 9"),
    (b"[{\"a\": \"\t\"}]", "line 1 column 9"),
    (b"[{\"index\": 01}]", "line 1 column 13"),
    // Not UTF-8.
    (b"[{\"a\":\n\"\xff\"}]", "line 2 column 2"),
    (b"[{\"a\": \"\xc3\"}]", "line 1 column 9"),
    // A column is a character, not a byte.
    ("[{\"é\": x}]".as_bytes(), "line 1 column 8"),
    ("[{\"é😀\": x}]".as_bytes(), "line 1 column 9"),
    // Recognised by their first bytes.
    (b"\xff\xfe[\0]\0", ""),
    (b"[\0]\0", ""),
    (b"\x1f\x8b\x08\0", ""),
    (b"PK\x03\x04", ""),
    (b"\n <!doctype html>", ""),
    (b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n{\"chain\": []}", ""),
];

#[test]
fn an_unreadable_chain_is_an_error_with_file_line_and_column() {
    let folder = Folder::new();
    for (contents, place) in UNREADABLE {
        let path = folder.write("chain.json", contents);
        for (argument, name) in [
            (path.as_os_str(), shown(&path)),
            ("-".as_ref(), "standard input".into()),
        ] {
            let run = fourzero()
                .arg("verify")
                .arg(argument)
                .write_stdin(contents)
                .ends_with(2);
            let named = format!(" {name}: {place}");
            let contents = String::from_utf8_lossy(contents);
            assert!(run.stderr.contains(&named), "{contents}: {}", run.stderr);
            assert_eq!(run.stderr.contains(": line "), !place.is_empty());
            assert_eq!(run.stderr.lines().count(), 1, "{contents}: {}", run.stderr);
            assert_eq!(run.stdout, "", "{contents}");
        }
    }
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
    let files = [
        unreadable,
        folder.path("missing.json"),
        folder.path(""),
        data("chain-last-proof.json"),
    ];
    let run = fourzero()
        .args(["verify", "--json"])
        .args(&files)
        .ends_with(2);
    let lines = run.json();
    assert_eq!(lines.len(), files.len());
    for (line, file) in lines.iter().zip(&files) {
        assert_eq!(line["file"], shown(file));
    }
    assert_eq!(run.stderr.lines().count(), 3, "{}", run.stderr);
    for (line, printed) in lines.iter().zip(run.stderr.lines()) {
        let error = line["error"].as_str().unwrap();
        assert!(printed.ends_with(error), "{printed}: {error}");
    }
    assert_eq!(lines[3]["valid"], true);
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
    let place = ": line 5004 column 13: ";
    assert!(run.stderr.contains(place), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}
