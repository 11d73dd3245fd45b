//! `fourzero bench`: shapes and refusals. No test depends on how fast
//! anything is.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Ends as _, Folder, data, fourzero, shown};

/// A sweep too short to say anything, of two points.
fn quick() -> assert_cmd::Command {
    let mut command = fourzero();
    command.args(["bench", "--quiet", "--seconds", "0.02", "--threads", "1,2"]);
    command
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn a_sweep_as_json_names_the_machine_and_every_point() {
    let report = quick()
        .args(["--kernel", "all", "--difficulty", "1", "--json", "-"])
        .ends_with(0)
        .one_json();
    assert_eq!(
        keys(&report),
        [
            "chosen",
            "cpu",
            "features",
            "logical_cores",
            "physical_cores",
            "runs",
            "version"
        ]
    );
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert!(report["logical_cores"].as_u64().unwrap() > 0);
    let runs = report["runs"].as_array().unwrap();
    let sha2: Vec<_> = runs.iter().filter(|run| run["kernel"] == "sha2").collect();
    assert_eq!(sha2.len(), 2);
    for run in runs {
        for key in [
            "kernel",
            "rule",
            "threads",
            "hashes",
            "seconds",
            "hashrate",
            "best",
            "median",
            "speedup",
            "efficiency",
        ] {
            assert!(run.get(key).is_some(), "{key} in {run}");
        }
        assert_eq!(run["rule"], "last-proof");
        let number = |key: &str| run[key].as_f64().unwrap();
        assert!(number("best") >= number("median"), "{run}");
        let rate = number("hashes") / number("seconds");
        assert!((rate / number("hashrate") - 1.0).abs() < 1e-6, "{run}");
        let efficiency = number("speedup") / number("threads");
        assert!((efficiency - number("efficiency")).abs() < 1e-9, "{run}");
        // A turn that was held up has no time for blocks.
        let blocks = run.get("blocks_per_second").and_then(Value::as_f64);
        assert!(blocks.is_none_or(|rate| rate > 0.0), "{run}");
        assert_eq!(run["zero_bits"], 4);
    }
}

/// The lines of a table, without those after it that tell what was chosen.
fn table(stdout: &str) -> impl Iterator<Item = &str> {
    stdout
        .lines()
        .filter(|line| !line.contains(" is the fastest "))
}

#[test]
fn blocks_that_take_longer_than_a_turn_are_not_counted() {
    let hard = ["--difficulty", "12"];
    let report = quick()
        .args(hard)
        .args(["--json", "-"])
        .ends_with(0)
        .one_json();
    for run in report["runs"].as_array().unwrap() {
        assert_eq!(run.get("blocks_per_second"), None, "{run}");
    }
    let run = quick().args(hard).ends_with(0);
    for line in table(&run.stdout).skip(2) {
        assert!(line.ends_with("  -"), "{}", run.stdout);
    }
}

#[test]
fn the_table_has_a_line_for_each_point() {
    let run = quick().args(["--rule", "all", "--no-pin"]).ends_with(0);
    let lines: Vec<_> = table(&run.stdout).collect();
    assert_eq!(lines.len(), 2 + 3 * 2, "{}", run.stdout);
    for column in [
        "kernel",
        "rule",
        "threads",
        "MH/s",
        "times one",
        "efficiency",
        "blocks/s",
    ] {
        assert!(lines[1].contains(column), "{column} in {}", lines[1]);
    }
    for rule in ["last-proof", "previous-hash", "last-hash"] {
        assert_eq!(
            lines.iter().filter(|line| line.contains(rule)).count(),
            2,
            "{rule}"
        );
    }
}

#[test]
fn one_thread_is_measured_even_if_it_is_not_asked_for() {
    let report = fourzero()
        .args([
            "bench",
            "-q",
            "--seconds",
            "0.02",
            "--threads",
            "2",
            "--json",
            "-",
        ])
        .ends_with(0)
        .one_json();
    let threads: Vec<_> = report["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["threads"])
        .collect();
    assert_eq!(threads, [&json!(1), &json!(2)]);
    assert_eq!(report["runs"][0]["speedup"], 1.0);
}

#[test]
fn more_threads_than_cores_are_warned_of() {
    let run = fourzero()
        .args(["bench", "-q", "--seconds", "0.02", "--threads", "1000"])
        .ends_with(0);
    assert!(
        run.stderr.contains("1000 threads are more than the"),
        "{}",
        run.stderr
    );
}

#[test]
fn json_and_plot_are_whole_files_and_nothing_else_is_left() {
    let folder = Folder::new();
    let (json, svg) = (folder.path("sweep.json"), folder.path("sweep.svg"));
    folder.write("sweep.json", "what was there before");
    let run = fourzero()
        .args(["bench", "--seconds", "0.02", "--threads", "1,2"])
        .arg("--json")
        .arg(&json)
        .arg("--plot")
        .arg(&svg)
        .args([
            "--kernel",
            "all",
            "--rule",
            "last-proof,last-hash",
            "--force",
        ])
        .ends_with(0);
    assert!(
        run.stdout.contains("MH/s"),
        "the table is printed, too: {}",
        run.stdout
    );
    for file in [&json, &svg] {
        let written = format!("{} written\n", shown(file));
        assert!(run.stderr.contains(&written), "{}", run.stderr);
    }
    assert_eq!(folder.names(), ["sweep.json", "sweep.svg"]);
    let report: Value = serde_json::from_str(&folder.read("sweep.json")).unwrap();
    assert!(report["runs"].as_array().unwrap().len() >= 8);
    let svg = folder.read("sweep.svg");
    assert_is_well_formed(&svg);
    for text in [
        "threads",
        "hashrate [MH/s]",
        "efficiency",
        "ideal",
        "sha2, last-proof",
    ] {
        assert!(svg.contains(text), "{text}");
    }
}

/// Every tag that opens closes, in order, and nothing stands outside.
fn assert_is_well_formed(svg: &str) {
    assert!(svg.trim_start().starts_with("<svg"), "{svg}");
    let mut open = Vec::new();
    let mut rest = svg;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if tag.starts_with('?') || tag.starts_with('!') || tag.ends_with('/') {
            continue;
        }
        let name = tag.split_whitespace().next().unwrap();
        match name.strip_prefix('/') {
            None => open.push(name),
            Some(name) => assert_eq!(open.pop(), Some(name), "before {rest:.40}"),
        }
        assert!(
            !open.is_empty() || rest.trim().is_empty(),
            "{rest:.80} is outside"
        );
    }
    assert!(open.is_empty(), "{open:?} never close");
}

/// A report with its rates multiplied, and turns that did not scatter.
fn scaled(report: &Value, factor: f64) -> String {
    let mut report = report.clone();
    for run in report["runs"].as_array_mut().unwrap() {
        let best = run["best"].as_f64().unwrap() * factor;
        run["best"] = json!(best);
        run["median"] = json!(best);
    }
    report.to_string()
}

#[test]
fn a_baseline_marks_what_the_scatter_does_not_explain() {
    let folder = Folder::new();
    let report = quick().args(["--json", "-"]).ends_with(0).one_json();
    // By more than any turn can have been held up.
    for (factor, mark) in [(1e-12, "* faster"), (1e12, "* slower")] {
        let baseline = folder.write("baseline.json", scaled(&report, factor));
        let run = quick().arg("--baseline").arg(&baseline).ends_with(0);
        assert!(run.stdout.contains("since the baseline"), "{}", run.stdout);
        assert_eq!(run.stdout.matches(mark).count(), 2, "{}", run.stdout);
    }
    // Another kernel, and another CPU.
    let mut other = report;
    other["cpu"] = json!("Abacus 3000");
    for run in other["runs"].as_array_mut().unwrap() {
        run["kernel"] = json!("beads");
    }
    let baseline = folder.write("other.json", other.to_string());
    let run = quick().arg("--baseline").arg(&baseline).ends_with(0);
    assert_eq!(run.stdout.matches("not in it").count(), 2, "{}", run.stdout);
    assert!(
        run.stderr.contains("another CPU: Abacus 3000"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_baseline_needs_only_the_documented_keys() {
    let folder = Folder::new();
    let mut report = quick().args(["--json", "-"]).ends_with(0).one_json();
    for run in report["runs"].as_array_mut().unwrap() {
        let run = run.as_object_mut().unwrap();
        run.remove("blocks_per_second");
        run.remove("zero_bits");
    }
    let baseline = folder.write("old.json", report.to_string());
    quick().arg("--baseline").arg(&baseline).ends_with(0);
}

#[test]
fn what_cannot_be_measured_is_refused_by_name() {
    for arguments in [
        ["--kernel", "gpu"],
        ["--kernel", "sha2,gpu"],
        ["--threads", "0"],
        ["--threads", "1,,2"],
        ["--threads", "many"],
        ["--threads", "2,9999"],
        ["--rule", "proof"],
        ["--seconds", "0"],
        ["--seconds", "nan"],
        ["--difficulty", "65"],
    ] {
        let run = fourzero().arg("bench").args(arguments).ends_with(2);
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn files_that_cannot_be_used_are_refused_before_anything_is_measured() {
    let folder = Folder::new();
    let missing = folder.path("no/such/folder/sweep.json");
    let missing_plot = folder.path("no/such/folder/sweep.svg");
    let directory = folder.path("directory.svg");
    fs::create_dir(&directory).unwrap();
    let not_json = folder.write("baseline.json", "{\"cpu\": 3}");
    let chain = data("chain-last-proof.json");
    let empty = folder.write(
        "empty.json",
        json!({"cpu": "x", "features": [], "physical_cores": 1, "logical_cores": 1,
               "version": "0", "runs": []})
        .to_string(),
    );
    for (option, path, expected) in [
        ("--json", &missing, "cannot write"),
        ("--plot", &missing_plot, "cannot write"),
        ("--plot", &directory, "is a directory, not a plain file"),
        ("--plot", &not_json, "expected a name that ends in .svg"),
        ("--json", &empty, "exists; --force replaces it"),
        ("--plot", &missing_plot, "there is no folder"),
        ("--baseline", &missing, "cannot read"),
        (
            "--baseline",
            &not_json,
            "is not what fourzero bench --json writes",
        ),
        (
            "--baseline",
            &chain,
            "is not what fourzero bench --json writes",
        ),
        ("--baseline", &empty, "holds no runs"),
    ] {
        let run = fourzero()
            // An hour, if it began.
            .args(["bench", "--seconds", "3600", option])
            .arg(path)
            .ends_with(2);
        assert!(
            run.stderr.contains(expected),
            "{option} {path:?}: {}",
            run.stderr
        );
        assert!(
            run.stderr.contains(shown(path).trim_end_matches('/')),
            "{}",
            run.stderr
        );
    }
    assert_eq!(
        folder.names(),
        ["baseline.json", "directory.svg", "empty.json"]
    );
}

/// What `bench mine` and `bench verify` print for data too small to mean
/// anything.
fn figures(command: &str) -> Value {
    fourzero()
        .args(["bench", command, "--json", "--quiet", "--rounds", "1"])
        .args(["--transactions", "500", "--sizes", "1,2"])
        .ends_with(0)
        .one_json()
}

#[test]
fn the_engines_figures_stand_beside_their_targets_and_sha2() {
    for (command, targets) in [
        (
            "mine",
            vec![
                ">= 0.97", ">= 0.9", "<= 3", "<= 50", ">= 0.95", ">= 1.9", "<= 2.5", "<= 0.15",
                "<= 0.1",
            ],
        ),
        ("verify", vec![">= 0.5", ">= 0.2", "<= 0.15", "<= 0.1"]),
    ] {
        let report = figures(command);
        assert!(report["cpu"].is_string());
        assert_eq!(
            (&report["threads"], &report["rounds"]),
            (&json!(2), &json!(1))
        );
        let sha2 = report["sha2"].as_array().unwrap();
        assert_eq!(sha2.len(), 2);
        assert!(
            sha2.iter()
                .all(|rate| rate["median"].as_f64().unwrap() > 0.0)
        );
        let figures = report["figures"].as_array().unwrap();
        for figure in figures {
            assert_eq!(
                keys(figure),
                ["best", "holds", "median", "name", "target", "unit"]
            );
            assert_eq!(
                figure["target"].is_null(),
                figure["holds"].is_null(),
                "{figure}"
            );
        }
        let mut expected = targets;
        if !cfg!(target_os = "linux") {
            // Only Linux tells the peak memory.
            expected.pop();
        }
        let targets: Vec<_> = figures
            .iter()
            .filter_map(|figure| figure["target"].as_str())
            .collect();
        assert_eq!(targets, expected, "{command}");
    }
}

#[test]
fn the_engines_figures_are_a_table_for_people() {
    let run = fourzero()
        .args([
            "bench",
            "verify",
            "--quiet",
            "--rounds",
            "1",
            "--transactions",
            "100",
        ])
        .args(["--sizes", "1", "--threads", "1"])
        .ends_with(0);
    for text in [
        "figure",
        "target",
        "Flask's compact text",
        "sha2 in the same run, 1 thread",
    ] {
        assert!(run.stdout.contains(text), "{text} in {}", run.stdout);
    }
    assert!(
        run.stdout.contains("held") || run.stdout.contains("missed"),
        "{}",
        run.stdout
    );
}

#[test]
fn mine_tells_its_efficiency_where_it_searched() {
    let folder = Folder::new();
    for (rule, name) in [("last-proof", "a.json"), ("last-hash", "b.json")] {
        let summary = fourzero()
            .args(["mine", "--json", "--rule", rule])
            .arg(data("queue.jsonl"))
            .arg("-o")
            .arg(folder.path(name))
            .ends_with(0)
            .one_json();
        assert!(summary["efficiency"].as_f64().unwrap() > 0.0, "{summary}");
    }
}

#[test]
fn the_script_for_a_new_cpu_writes_a_page_and_a_plot() {
    let folder = Folder::new();
    let out = folder.path("measurements");
    let measure = |force: &[&str]| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/measure.sh");
        std::process::Command::new("bash")
            .arg(script)
            .args(force)
            .arg("--out")
            .arg(&out)
            .args(["--seconds", "0.02", "--threads", "1,2"])
            .env("FOURZERO", assert_cmd::cargo::cargo_bin!("fourzero"))
            // The peers are a crate of their own, which nobody has built.
            .env("PEERS", "uname")
            .output()
            .unwrap()
    };
    let output = measure(&[]);
    assert!(output.status.success(), "{output:?}");
    let mut files: Vec<_> = fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let [page, plot] = &files[..] else {
        panic!("{files:?}");
    };
    assert_eq!(page.with_extension("svg"), *plot);
    let text = fs::read_to_string(page).unwrap();
    let plot = format!("({})", plot.file_name().unwrap().to_str().unwrap());
    let system = std::process::Command::new("uname").output().unwrap();
    let system = String::from_utf8(system.stdout).unwrap();
    for part in [
        &format!("## Beside other programs\n\n{system}"),
        "$ fourzero bench --kernel all --rule last-proof,last-hash --seconds 0.02",
        "physical core",
        "sha2",
        &plot,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }

    fs::write(page, "dear").unwrap();
    assert_eq!(measure(&[]).status.code(), Some(2));
    assert_eq!(fs::read_to_string(page).unwrap(), "dear");
    assert!(measure(&["--force"]).status.success());
    assert_ne!(fs::read_to_string(page).unwrap(), "dear");
}
