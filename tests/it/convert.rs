//! `fourzero convert`: from every format to every other, and chains that cannot
//! be converted.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::naive::{Json, object};
use crate::naive_chain;
use crate::python::has_python;
use crate::support::{
    EXPORTED, Ends as _, Folder, Run, data, data_text, exported_blocks, fourzero, shown,
};

const FORMATS: [&str; 3] = ["json", "jsonl", "array"];

/// The file with just these blocks in a format.
fn written(format: &str, blocks: &[Json]) -> String {
    match format {
        "json" => naive_chain::json_file(blocks),
        "jsonl" => naive_chain::jsonl_file(blocks),
        "array" => Json::List(blocks.to_vec()).canonical(),
        other => panic!("{other} is no format"),
    }
}

#[track_caller]
fn convert(input: &Path, output: &Path, options: &[&str], code: i32) -> Run {
    fourzero()
        .arg("convert")
        .arg(input)
        .arg("-o")
        .arg(output)
        .args(options)
        .ends_with(code)
}

/// Converts `text` and returns the output.
#[track_caller]
fn converted(text: &str, options: &[&str]) -> String {
    let folder = Folder::new();
    let input = folder.write("in", text);
    convert(&input, &folder.path("out"), options, 0);
    assert_eq!(folder.names(), ["in", "out"]);
    folder.read("out")
}

#[test]
fn every_format_converts_to_every_other() {
    for (name, rule) in EXPORTED {
        let blocks = exported_blocks(name);
        let sources = [
            data_text(name),
            written("jsonl", &blocks),
            written("array", &blocks),
            Json::List(blocks.clone()).odd("\r\n "),
        ];
        for source in sources {
            for format in FORMATS {
                let options = ["--format", format, "--verify", "--rule", rule];
                let found = converted(&source, &options);
                assert_eq!(found, written(format, &blocks), "{name} as {format}");
            }
        }
    }
}

#[test]
fn the_extension_of_the_output_implies_its_format() {
    let folder = Folder::new();
    let blocks = exported_blocks(EXPORTED[0].0);
    for (name, format) in [
        ("a.json", "json"),
        ("a.jsonl", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a", "json"),
    ] {
        convert(&data(EXPORTED[0].0), &folder.path(name), &[], 0);
        assert_eq!(folder.read(name), written(format, &blocks), "{name}");
    }
}

#[test]
fn the_summary_describes_the_conversion() {
    let folder = Folder::new();
    let (name, rule) = EXPORTED[1];
    let (input, output) = (data(name), folder.path("chain.jsonl"));
    let run = convert(&input, &output, &["--json", "--verify"], 0);
    let mut summary = run.one_json();
    assert!(summary["seconds"].take().as_f64().unwrap() > 0.0);
    let expected = json!({
        "input": shown(&input),
        "output": shown(&output),
        "format": "jsonl",
        "blocks": exported_blocks(name).len(),
        "bytes": folder.read("chain.jsonl").len(),
        "seconds": null,
        "verified": true,
        "rule": rule,
    });
    assert_eq!(summary, expected);
    assert_eq!(run.stderr, "");

    let blocks = exported_blocks(name).len();
    for (option, verdict) in [
        ("--verify", format!("verified, rule {rule}")),
        ("--quiet", "not verified".into()),
    ] {
        let run = convert(&input, &output, &["--force", option], 0);
        let expected = format!(
            "{}: {blocks} blocks from {}, {verdict}\n",
            shown(&output),
            shown(&input)
        );
        assert_eq!((run.stdout, run.stderr), (expected, String::new()));
    }
}

#[test]
fn standard_input_and_output_work() {
    let (name, _) = EXPORTED[0];
    let blocks = exported_blocks(name);
    for format in FORMATS {
        let run = fourzero()
            .args(["convert", "-", "-o", "-", "--format", format])
            .write_stdin(data_text(name))
            .ends_with(0);
        assert_eq!(run.stdout, written(format, &blocks));
        assert_eq!(run.stderr, "");
    }
    if cfg!(unix) {
        let run = fourzero()
            .args(["convert", "-", "-o", "/dev/stdout"])
            .write_stdin(data_text(name))
            .ends_with(0);
        assert_eq!(run.stdout, written("json", &blocks));
    }
    for option in ["--verify", "--json"] {
        let run = fourzero()
            .args(["convert", "-", "-o", "-", option])
            .write_stdin(data_text(name))
            .ends_with(2);
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn unknown_keys_are_kept_in_blocks_and_dropped_beside_the_chain() {
    let block = r#"{"proof":100,"é":{"b":1E5,"a":[-0,1.0,1e-7]},"index":1.50}"#;
    let text = format!(r#"{{"node":"x","chain":[{block}],"length":1,"z":{{}}}}"#);
    let canonical =
        r#"{"index": 1.5, "proof": 100, "\u00e9": {"a": [0, 1.0, 1e-07], "b": 100000.0}}"#;
    assert_eq!(
        converted(&text, &["--format", "jsonl"]),
        format!("{canonical}\n")
    );
    assert_eq!(
        converted(&text, &["--format", "json"]),
        format!("{{\"chain\": [{canonical}], \"length\": 1}}")
    );
}

#[test]
fn a_chain_without_blocks_has_a_file_in_each_format() {
    for (format, expected) in [
        ("json", r#"{"chain": [], "length": 0}"#),
        ("jsonl", ""),
        ("array", "[]"),
    ] {
        assert_eq!(converted("[]", &["--format", format]), expected);
    }
}

#[test]
fn invalid_json_is_an_error_with_its_place_and_writes_no_file() {
    for (text, place) in [
        ("", "line 1 column 1"),
        ("[{\"index\": 1},\n {\"index\": 01}]", "line 2 column 13"),
        ("{\"index\": 1}\n{\"index\": NaN}\n", "line 2 column 11"),
        ("[{\"index\": 1}, 7]", "line 1 column 16"),
        ("[{\"index\": 1}", "line 1 column 14"),
    ] {
        for options in [&[][..], &["--force"]] {
            let folder = Folder::new();
            let input = folder.write("in.json", text);
            if !options.is_empty() {
                folder.write("out.json", "precious");
            }
            let before = folder.names();
            let run = convert(&input, &folder.path("out.json"), options, 2);
            let named = format!(" {}: {place}: ", shown(&input));
            assert!(run.stderr.contains(&named), "{}", run.stderr);
            assert_eq!(folder.names(), before);
            if !options.is_empty() {
                assert_eq!(folder.read("out.json"), "precious");
            }
        }
    }
}

#[test]
fn a_first_block_that_reads_as_a_chain_is_refused_only_in_json_lines() {
    let text = r#"[{"chain": [{"index": 1}], "proof": 1}, {"index": 2}]"#;
    assert_eq!(converted(text, &["--format", "array"]), text);
    let folder = Folder::new();
    let input = folder.write("in.json", text);
    convert(&input, &folder.path("out.jsonl"), &[], 2);
    assert_eq!(folder.names(), ["in.json"]);
    // As any other block, it is read as a block.
    let text = "{\"index\": 2}\n{\"chain\": [{\"index\": 1}]}\n";
    assert_eq!(converted(text, &["--format", "jsonl"]), text);
}

#[test]
fn a_block_too_large_to_be_read_back_is_not_written() {
    // 24 MiB that become 72.
    let text = format!(
        "[{{\"proof\": 1}}, {{\"a\": \"{}\"}}]",
        "é".repeat(12 << 20)
    );
    let folder = Folder::new();
    let input = folder.write("in.json", text);
    convert(&input, &folder.path("out.json"), &[], 2);
    assert_eq!(folder.names(), ["in.json"]);
}

#[test]
fn an_invalid_chain_is_converted_unless_it_must_be_verified() {
    let (name, rule) = EXPORTED[1];
    let changed = data_text(name).replacen("\"amount\": ", "\"amount\": 1", 1);
    let changed = changed.replacen("\"amount\":", "\"amount\": 1", 1);
    let folder = Folder::new();
    let input = folder.write("in.json", &changed);
    let output = folder.path("out.json");
    let run = convert(&input, &output, &["--verify"], 1);
    assert_eq!(run.stdout, "");
    assert_eq!(folder.names(), ["in.json"]);

    convert(&input, &output, &[], 0);
    fourzero().arg("verify").arg(&output).ends_with(1);

    // Valid, but not with these options.
    for options in [
        &["--verify", "--rule", "last-proof"][..],
        &["--verify", "--difficulty", "40"],
    ] {
        assert_ne!(rule, "last-proof");
        convert(&data(name), &folder.path("none.json"), options, 1);
    }
    assert_eq!(folder.names(), ["in.json", "out.json"]);
    for option in ["--rule=auto", "--difficulty=4"] {
        convert(&input, &folder.path("none.json"), &[option], 2);
    }
}

#[test]
fn a_wrong_length_is_a_warning_and_is_corrected() {
    let blocks = exported_blocks(EXPORTED[0].0);
    let mut whole = object([("chain", Json::List(blocks.clone()))]);
    whole.set("length", Json::Number("7000".into()));
    let folder = Folder::new();
    let input = folder.write("in.json", whole.canonical());
    let output = folder.path("out.json");
    convert(&input, &output, &["--verify"], 1);
    assert_eq!(folder.names(), ["in.json"]);

    let run = convert(&input, &output, &[], 0);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    assert_eq!(folder.read("out.json"), written("json", &blocks));
}

#[test]
fn an_existing_output_is_replaced_only_with_force_even_the_input() {
    let folder = Folder::new();
    let blocks = exported_blocks(EXPORTED[0].0);
    let path = folder.write("chain.json", Json::List(blocks.clone()).odd("\n"));
    let before = folder.read("chain.json");
    convert(&path, &path, &[], 2);
    assert_eq!(folder.read("chain.json"), before);
    convert(&path, &path, &["--force"], 0);
    assert_eq!(folder.read("chain.json"), written("json", &blocks));
    assert_eq!(folder.names(), ["chain.json"]);
}

#[test]
fn a_missing_input_or_folder_is_an_error() {
    let folder = Folder::new();
    let chain = data(EXPORTED[0].0);
    convert(&folder.path("none.json"), &folder.path("out.json"), &[], 2);
    convert(&chain, &folder.path("no/out.json"), &[], 2);
    assert!(folder.names().is_empty());
}

#[test]
fn mining_can_write_a_bare_array() {
    let folder = Folder::new();
    let queue = folder.write("queue.csv", "sender,recipient,amount\na,b,1\n");
    let mine = |options: &[&str]| {
        fourzero()
            .args(["mine", "--difficulty", "2", "--format", "array"])
            .args(options)
            .arg(&queue)
            .current_dir(folder.path(""))
            .ends_with(0)
    };
    mine(&["-o", "chain.jsonl"]);
    mine(&["--out-dir", "."]);
    for name in ["chain.jsonl", "queue.json"] {
        let text = folder.read(name);
        assert!(text.starts_with("[{\"index\": 1, "), "{name}: {text}");
        assert!(text.ends_with("}]"), "{name}: {text}");
        fourzero()
            .args(["verify", "--difficulty", "2"])
            .arg(folder.path(name))
            .ends_with(0);
    }
    assert_eq!(folder.names(), ["chain.jsonl", "queue.csv", "queue.json"]);
}

/// Reads a chain in any format with Python, and compares its text and hashes
/// with those of the other chain.
const SAME_CHAIN: &str = r#"
import hashlib, json, sys

def blocks(path):
    text = open(path, encoding="utf-8", newline="").read()
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines()]
    return whole["chain"] if isinstance(whole, dict) else whole

def dumps(value):
    return json.dumps(value, sort_keys=True)

def hashes(chain):
    return [hashlib.sha256(dumps(block).encode()).hexdigest() for block in chain]

before, after, shape = blocks(sys.argv[1]), blocks(sys.argv[2]), sys.argv[3]
assert hashes(before) == hashes(after), "hashes"
expected = {
    "json": dumps({"chain": before, "length": len(before)}),
    "jsonl": "".join(dumps(block) + "\n" for block in before),
    "array": dumps(before),
}[shape]
assert open(sys.argv[2], encoding="ascii", newline="").read() == expected, "not as Python writes it"
"#;

#[test]
fn python_reads_the_same_chain_with_the_same_hashes() {
    if !has_python() {
        return;
    }
    let odd = concat!(
        r#"[{"index":1,"proof":100,"previous_hash":"1","timestamp":1e3,"transactions":[]},"#,
        r#"{"timestamp":5E-324,"x\u00e9":"\/\ud83d\ude00é\u007f","index":2,"#,
        r#""big":123456789012345678901234567890,"transactions":[{"amount":-0.0,"a":1E22,"a":0.1}]}]"#,
    );
    let folder = Folder::new();
    let mut inputs = vec![folder.write("odd.json", odd)];
    inputs.extend(EXPORTED.map(|(name, _)| data(name)));
    for input in inputs {
        for format in FORMATS {
            let output = folder.path("out.json");
            convert(&input, &output, &["--force", "--format", format], 0);
            let said = Command::new("python3")
                .args(["-c", SAME_CHAIN])
                .args([&input, &output])
                .arg(format)
                .output()
                .unwrap();
            let stderr = String::from_utf8_lossy(&said.stderr);
            assert!(
                said.status.success(),
                "{} as {format}: {stderr}",
                shown(&input)
            );
        }
    }
}
