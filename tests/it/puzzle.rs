//! `fourzero puzzle` finds the smallest answer for every factor.

use serde_json::json;

use crate::naive::sha256_hex;
use crate::support::{Ends as _, fourzero};

/// The smallest answer, by trying every number.
fn answer(x: i64) -> (i64, String) {
    (0..)
        .map(|y| (y, sha256_hex((x * y).to_string().as_bytes())))
        .find(|(_, hash)| hash.ends_with('0'))
        .unwrap()
}

#[test]
fn the_tutorials_puzzle_has_the_tutorials_answer() {
    for (x, y) in [("5", 21), ("10", 24)] {
        let run = fourzero().args(["puzzle", x]).ends_with(0);
        let product = x.parse::<i64>().unwrap() * y;
        let hash = sha256_hex(product.to_string().as_bytes());
        assert_eq!(
            run.stdout,
            format!("y = {y}\nsha256(\"{product}\") = {hash}\n")
        );
        assert_eq!(run.stderr, "");
    }
}

#[test]
fn every_factor_has_its_smallest_answer() {
    for x in [1, 2, 3, 5, 10, 1000, -1, -5, -10, -999_983] {
        let (y, hash) = answer(x);
        let found = fourzero()
            .args(["puzzle", "--json", &x.to_string()])
            .ends_with(0)
            .one_json();
        assert_eq!(found, json!({"x": x, "y": y, "hash": hash}));
    }
}

#[test]
fn the_largest_factors_do_not_overflow() {
    for x in [i64::MIN, i64::MAX] {
        let found = fourzero()
            .args(["puzzle", "--json", &x.to_string()])
            .ends_with(0)
            .one_json();
        let y = i128::from(found["y"].as_u64().unwrap());
        let expected = sha256_hex((i128::from(x) * y).to_string().as_bytes());
        assert_eq!(found["hash"], expected);
        assert!(expected.ends_with('0'));
    }
}

#[test]
fn zero_has_no_answer() {
    assert!(!sha256_hex(b"0").ends_with('0'));
    let found = fourzero()
        .args(["puzzle", "0", "--json"])
        .ends_with(1)
        .one_json();
    assert_eq!(found, json!({"x": 0, "y": null, "hash": null}));
}

#[test]
fn other_text_is_a_usage_error() {
    for x in ["", "x", "1.5", "99999999999999999999"] {
        let run = fourzero().args(["puzzle", x]).ends_with(2);
        assert_eq!(run.stdout, "");
    }
    fourzero().arg("puzzle").ends_with(2);
}
