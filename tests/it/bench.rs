//! `fourzero bench`: the table, the JSON, the plot, the comparison with a
//! baseline, and refused arguments. No test depends on how fast anything is.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Ends as _, Folder, data, fourzero, shown};

/// A sweep of two combinations, too short to measure anything.
fn quick() -> assert_cmd::Command {
    let mut command = fourzero();
    command.args(["bench", "--seconds", "0.02", "--threads", "1,2"]);
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
fn the_json_has_the_machine_and_every_combination() {
    let report = quick()
        .args(["--kernel", "all", "--difficulty", "1", "--json"])
        .ends_with(0)
        .one_json();
    assert_eq!(
        keys(&report),
        [
            "chosen",
            "cpu",
            "cpu_quota",
            "features",
            "logical_cores",
            "partial",
            "physical_cores",
            "runs",
            "version"
        ]
    );
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert!(report["logical_cores"].as_u64().unwrap() > 0);
    assert!(report["physical_cores"].as_u64() <= report["logical_cores"].as_u64());
    assert_eq!(report["partial"], Value::Null);
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
        // A slow first sample has no time for blocks.
        let blocks = run.get("blocks_per_second").and_then(Value::as_f64);
        assert!(blocks.is_none_or(|rate| rate > 0.0), "{run}");
        assert_eq!(run["zero_bits"], 4);
    }
}

/// The lines of a table, without those after it about chosen kernels.
fn table(stdout: &str) -> impl Iterator<Item = &str> {
    stdout
        .lines()
        .filter(|line| !line.contains(" is the fastest "))
}

#[test]
fn blocks_that_take_longer_than_a_sample_are_not_counted() {
    let hard = ["--difficulty", "12"];
    let report = quick().args(hard).arg("--json").ends_with(0).one_json();
    for run in report["runs"].as_array().unwrap() {
        assert_eq!(run.get("blocks_per_second"), None, "{run}");
    }
    let run = quick().args(hard).ends_with(0);
    for line in table(&run.stdout).skip(2) {
        assert!(line.ends_with("  -"), "{}", run.stdout);
    }
}

#[test]
fn the_table_has_a_line_for_each_combination() {
    let run = quick().args(["--rule", "all", "--no-pin"]).ends_with(0);
    let lines: Vec<_> = table(&run.stdout).collect();
    assert_eq!(lines.len(), 2 + 3 * 2, "{}", run.stdout);
    for column in [
        "kernel",
        "rule",
        "threads",
        "MH/s",
        "speedup",
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
fn more_threads_than_cores_give_a_warning() {
    let run = fourzero()
        .args(["bench", "--seconds", "0.02", "--threads", "1000"])
        .ends_with(0);
    assert!(run.stderr.contains("1000 threads"), "{}", run.stderr);
}

#[test]
fn json_and_plot_replace_files_and_leave_no_others() {
    let folder = Folder::new();
    let (json, svg) = (folder.path("sweep.json"), folder.path("sweep.svg"));
    folder.write("sweep.json", "what was there before");
    let run = fourzero()
        .args(["bench", "--seconds", "0.02", "--threads", "1,2"])
        .arg("--export")
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
    let lines = table(&run.stdout).count();
    assert!(lines > 8, "the table is printed, too: {}", run.stdout);
    for file in [&json, &svg] {
        assert!(run.stderr.contains(&shown(file)), "{}", run.stderr);
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

/// A report with its rates multiplied, and samples that did not scatter.
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
fn changes_beyond_the_scatter_are_marked() {
    let folder = Folder::new();
    let report = quick().arg("--json").ends_with(0).one_json();
    // By more than any sample can have been slowed down.
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
    assert!(run.stderr.contains("Abacus 3000"), "{}", run.stderr);
}

#[test]
fn a_baseline_needs_only_the_documented_keys() {
    let folder = Folder::new();
    let mut report = quick().arg("--json").ends_with(0).one_json();
    for run in report["runs"].as_array_mut().unwrap() {
        let run = run.as_object_mut().unwrap();
        run.remove("blocks_per_second");
        run.remove("zero_bits");
    }
    let baseline = folder.write("old.json", report.to_string());
    quick().arg("--baseline").arg(&baseline).ends_with(0);
}

#[test]
fn lists_may_repeat_and_all_includes_the_others() {
    for (rules, expected) in [
        (
            "last-hash,last-proof,last-hash",
            &["last-hash", "last-proof"][..],
        ),
        (
            "last-hash,all",
            &["last-proof", "previous-hash", "last-hash"],
        ),
    ] {
        let report = fourzero()
            .args(["bench", "--seconds", "0.02", "--threads", "1,1"])
            .args(["--rule", rules, "--json"])
            .ends_with(0)
            .one_json();
        let runs = report["runs"].as_array().unwrap();
        let found: Vec<_> = runs.iter().map(|run| &run["rule"]).collect();
        assert_eq!(found, expected, "{rules}");
    }
}

#[test]
fn the_fastest_kernel_can_be_asked_for_by_name() {
    let kernels = |arguments: &[&str]| {
        let report = quick()
            .arg("--json")
            .args(arguments)
            .ends_with(0)
            .one_json();
        let runs = report["runs"].as_array().unwrap().clone();
        runs.into_iter()
            .map(|run| run["kernel"].clone())
            .collect::<Vec<_>>()
    };
    assert_ne!(kernels(&["--kernel", "fastest"])[0], "sha2");
    let both = kernels(&["--kernel", "sha2,fastest"]);
    assert_eq!((both.len(), &both[0]), (4, &json!("sha2")));
    assert_ne!(both[2], "sha2");
}

#[cfg(target_os = "linux")]
#[test]
fn only_cores_that_the_process_may_use_are_counted() {
    let binary = assert_cmd::cargo::cargo_bin!("fourzero");
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let allowed = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let first = allowed.unwrap().trim().split([',', '-']).next().unwrap();
    let mut pinned = assert_cmd::Command::new("taskset");
    pinned.args(["-c", first]).arg(binary);
    pinned.args(["bench", "--seconds", "0.02", "--json"]);
    if pinned.output().is_err() {
        println!("skipped: needs taskset");
        return;
    }
    let report = pinned.ends_with(0).one_json();
    assert_eq!(report["physical_cores"], 1);
    assert_eq!(report["logical_cores"], 1);
    let runs = report["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1, "one thread is the default: {report}");
}

#[test]
fn wrong_arguments_are_refused() {
    for argument in [
        "--kernel=gpu",
        "--kernel=sha2,gpu",
        "--threads=0",
        "--threads=1,,2",
        "--threads=2,9999",
        "--seconds=0",
        "--seconds=nan",
        "--difficulty=65",
    ] {
        let run = fourzero().args(["bench", argument]).ends_with(2);
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn unusable_files_are_refused_before_the_measurement() {
    let folder = Folder::new();
    let missing = folder.path("no/such/folder/sweep.json");
    let missing_plot = folder.path("no/such/folder/sweep.svg");
    let directory = folder.path("directory.svg");
    fs::create_dir(&directory).unwrap();
    let not_json = folder.write("baseline.json", "{\"cpu\": 3}");
    let chain = data("chain-last-proof.json");
    let no_runs = json!({"cpu": "x", "features": [], "physical_cores": 1, "logical_cores": 1,
                         "version": "0", "runs": []});
    let no_runs = folder.write("empty.json", no_runs.to_string());
    for (option, path) in [
        ("--export", &missing),
        ("--plot", &missing_plot),
        ("--plot", &directory),
        ("--plot", &not_json),
        ("--export", &no_runs),
        ("--baseline", &missing),
        ("--baseline", &not_json),
        ("--baseline", &chain),
        ("--baseline", &no_runs),
    ] {
        // A measurement would take longer than the test waits.
        let run = fourzero()
            .args(["bench", "--seconds", "3600", option])
            .arg(path)
            .ends_with(2);
        assert_eq!(run.stdout, "", "{option} {}", shown(path));
    }
    let left = ["baseline.json", "directory.svg", "empty.json"];
    assert_eq!(folder.names(), left);
}

#[test]
fn the_summary_of_mine_has_its_efficiency() {
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
fn measure_sh_writes_a_page_and_a_plot() {
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
            // The peers are another crate, and not built here.
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
