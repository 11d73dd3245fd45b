//! `fourzero search` finds the smallest nonce in its range, and reports where to
//! continue.

use serde_json::Value;

use crate::naive::sha256_hex;
use crate::support::{Ends as _, fourzero};

/// The smallest nonce from `start`, by trying every number.
fn smallest(prefix: &str, suffix: &str, zeros: usize, start: u64) -> (u64, String) {
    (start..)
        .map(|nonce| {
            (
                nonce,
                sha256_hex(format!("{prefix}{nonce}{suffix}").as_bytes()),
            )
        })
        .find(|(_, digest)| digest.starts_with(&"0".repeat(zeros)))
        .unwrap()
}

fn search(arguments: &[&str]) -> Value {
    fourzero()
        .args(["search", "--json"])
        .args(arguments)
        .ends_with(0)
        .one_json()
}

#[test]
fn the_smallest_nonce_is_found_for_any_text_around_it() {
    for (prefix, suffix, start) in [
        ("100", "", "0"),
        ("", "", "0"),
        ("é ", "\n;tail", "12345"),
        ("-", "-", "99999990"),
    ] {
        let (nonce, digest) = smallest(prefix, suffix, 3, start.parse().unwrap());
        let arguments = [
            "--difficulty",
            "3",
            "--start",
            start,
            "--suffix",
            suffix,
            "--",
            prefix,
        ];
        let found = search(&arguments);
        assert_eq!(found["nonce"], nonce, "{arguments:?}");
        assert_eq!(found["digest"], digest);
        assert!(found["hashes"].as_u64().unwrap() > nonce - start.parse::<u64>().unwrap());
        let keys: Vec<_> = found.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            ["chosen", "digest", "hashes", "hashrate", "nonce", "seconds"]
        );
    }
}

#[test]
fn a_difficulty_may_be_given_in_bits() {
    assert_eq!(search(&["100", "--bits", "16"])["nonce"], 35293);
    let nine = search(&["100", "--bits", "9"])["nonce"].as_u64().unwrap();
    let first = sha256_hex(format!("100{nine}").as_bytes());
    assert!(
        first.starts_with("00") && first.as_bytes()[2] < b'8',
        "{first}"
    );
    fourzero()
        .args(["search", "100", "--bits", "9", "--difficulty", "3"])
        .ends_with(2);
}

#[test]
fn the_range_includes_start_and_excludes_end() {
    let found = search(&["100", "--start", "35293", "--end", "35294"]);
    assert_eq!(
        (&found["nonce"], &found["hashes"]),
        (&35293.into(), &1.into())
    );
    for range in [["0", "35293"], ["35294", "35300"], ["7", "7"]] {
        let found = fourzero()
            .args([
                "search", "100", "--json", "--start", range[0], "--end", range[1],
            ])
            .ends_with(1)
            .one_json();
        assert_eq!(
            (&found["nonce"], &found["digest"]),
            (&Value::Null, &Value::Null)
        );
        let tried = range[1]
            .parse::<u64>()
            .unwrap()
            .saturating_sub(range[0].parse().unwrap());
        assert_eq!(found["hashes"], tried);
    }
    fourzero()
        .args(["search", "100", "--start", "9", "--end", "3"])
        .ends_with(2);
    let last = u64::MAX.to_string();
    let found = search(&["x", "--bits", "1", "--start", "18446744073709551600"]);
    assert!(found["nonce"].as_u64().unwrap() >= 18446744073709551600);
    fourzero()
        .args(["search", "x", "--bits", "200", "--start", &last])
        .ends_with(1);
}

#[test]
fn the_documented_end_can_be_given() {
    for end in ["18446744073709551616", "35294"] {
        assert_eq!(search(&["100", "--end", end])["nonce"], 35293);
    }
    fourzero()
        .args(["search", "100", "--end", "18446744073709551617"])
        .ends_with(2);
    // The last nonce of all is in the range.
    let last = u64::MAX.to_string();
    let range = ["--start", &last, "--end", "18446744073709551616"];
    let found = fourzero()
        .args(["search", "100", "--bits", "200", "--json"])
        .args(range)
        .ends_with(1)
        .one_json();
    assert_eq!(found["hashes"], 1);
}

#[test]
fn texts_may_start_with_a_hyphen() {
    let digits = smallest("-7", "-5", 2, 0).0;
    let words = smallest("-7", "-abc", 2, 0).0;
    for (suffix, nonce) in [
        (&["--suffix", "-5"][..], digits),
        (&["--suffix=-5"], digits),
        (&["--suffix=-abc"], words),
    ] {
        let arguments = [&["-7", "--difficulty", "2"], suffix].concat();
        assert_eq!(search(&arguments)["nonce"], nonce, "{suffix:?}");
    }
}

#[test]
fn any_finds_a_valid_nonce() {
    let found = search(&["abc", "--difficulty", "3", "--any", "--threads", "3"]);
    let message = format!("abc{}", found["nonce"]);
    assert!(sha256_hex(message.as_bytes()).starts_with("000"));
    assert_eq!(found["digest"], sha256_hex(message.as_bytes()));
}

#[test]
fn a_time_limit_reports_the_next_nonce() {
    let limited = [
        "search",
        "abc",
        "--difficulty",
        "64",
        "--time-limit",
        "0.2",
        "--json",
    ];
    let run = fourzero().args(limited).ends_with(1);
    assert_eq!(run.one_json()["nonce"], Value::Null);
    let tried = run.one_json()["hashes"].as_u64().unwrap();
    assert_eq!(run.one_json()["next"], tried);
    // There is nothing to continue after the end of a range.
    let whole = [
        "search",
        "abc",
        "--difficulty",
        "64",
        "--end",
        "9",
        "--json",
    ];
    let run = fourzero().args(whole).ends_with(1);
    assert_eq!(run.one_json().get("next"), None);
}

#[test]
fn the_output_for_people_has_the_nonce_and_the_hashed_text() {
    let run = fourzero().args(["search", "100"]).ends_with(0);
    let digest = sha256_hex(b"10035293");
    assert!(
        run.stdout
            .starts_with(&format!("nonce = 35293\nsha256(\"10035293\") = {digest}\n")),
        "{}",
        run.stdout
    );
}
