//! The figures must not depend on how a chain is written.

use super::*;
use crate::chain::json::canonical;

fn figures(text: &str) -> Statistics {
    let mut figures = statistics(text.as_bytes(), 10, &Control::new()).unwrap();
    assert_eq!(figures.bytes, text.len() as u64);
    figures.bytes = 0;
    figures
}

const BLOCK: &str = concat!(
    r#"{"index":7,"previous_hash":"ab","proof":5,"timestamp":1.5,"transactions":"#,
    r#"[{"amount":2.5,"recipient":"r\n","sender":"0"},{"amount":-1,"recipient":"s","sender":"r\n"}]}"#,
);

#[test]
fn figures_do_not_depend_on_the_form() {
    let canonical_block = canonical(BLOCK.as_bytes()).unwrap();
    let odd_block = BLOCK
        .replace("\"proof\":5", "\"proof\" : 5")
        .replace("\"recipient\"", "\"r\\u0065cipient\"");
    let many = 3_000;
    let expected = figures(&vec![canonical_block.as_str(); many].join("\n"));
    assert_eq!(expected.transactions, 2 * many as u64);
    assert_eq!(expected.rewards, many as u64);
    assert_eq!(expected.balances.minted.as_deref(), Some("7500"));
    let top: Vec<_> = expected
        .balances
        .top
        .iter()
        .map(|holder| &*holder.balance)
        .collect();
    assert_eq!(top, ["10500", "-3000"]);
    assert_eq!(expected.proofs.count, many as u64 - 1);
    let proofs = &expected.proofs;
    assert_eq!((proofs.min, proofs.mean), (Some(5), Some(5.0)));
    assert_eq!(
        expected.proofs.cycle,
        Some(Cycle {
            start: 1,
            length: 1
        })
    );
    let length = canonical_block.len() as u64;
    let range = expected.block_bytes.unwrap();
    assert_eq!((range.min, range.max), (length, length));
    for block in [BLOCK, odd_block.as_str()] {
        assert_eq!(figures(&vec![block; many].join("\n")), expected);
        assert_eq!(
            figures(&format!("[{}]", vec![block; many].join(","))),
            expected
        );
    }
}

#[test]
fn the_fast_path_has_the_same_values() {
    let chain = format!("[{BLOCK}]");
    let mut reader = CanonicalReader::new(chain.as_bytes());
    assert!(reader.advance().unwrap());
    let (text, fields) = reader.blocks().next().unwrap();
    let fast = standard_values(text, fields.unwrap()).unwrap();
    assert!(fast.iter().all(Option::is_some));
    assert_eq!(fast, View::of(text).fields(FIELDS));
}

#[test]
fn a_cancelled_count_ends() {
    let control = Control::new();
    control.cancel();
    let error = statistics(BLOCK.as_bytes(), 10, &control).unwrap_err();
    assert!(matches!(error, StatisticsError::Cancelled), "{error}");
}
