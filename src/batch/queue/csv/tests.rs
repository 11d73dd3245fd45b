//! Rows, decimal commas, and cells that are probably not intended.

use std::num::NonZeroUsize;

use super::*;
use crate::batch::queue::tests::blocks;
use crate::batch::queue::{CsvDoubts, Queue};

#[test]
fn rows_without_text_are_skipped_as_blank_lines_are() {
    for (delimiter, blank) in [
        (',', ",,"),
        (',', " ,\t, "),
        (';', ";;"),
        (',', "\"\",,"),
        (',', ",,,,,"),
    ] {
        let text = format!(
            "sender,recipient,amount\n{blank}\na,r,1\n{blank}\n{blank}\nb,r,1\n{blank}\n{blank}"
        );
        let text = text.replace(',', &delimiter.to_string());
        assert_eq!(blocks(&text), Ok(vec!["a+b".to_owned()]), "{text}");
    }
    let error = blocks("sender,recipient,amount\n,,\n").unwrap_err();
    assert_eq!(error, "it has no transactions");
    let error = blocks("sender,recipient,amount\n,,\na,r\n").unwrap_err();
    assert!(error.starts_with("line 3: "), "{error}");
}

/// The canonical amounts of a queue, or its error.
fn amounts(
    csv: &str,
    decimal: DecimalSeparator,
    strictness: Strictness,
) -> Result<String, QueueError> {
    let many = NonZeroUsize::new(100).unwrap();
    let queue = Queue::new(csv.as_bytes(), many, strictness).with_decimal(decimal);
    let blocks: Vec<_> = queue.collect::<Result<_, _>>()?;
    let list: Vec<serde_json::Value> =
        serde_json::from_str(&format!("[{}]", blocks[0].canonical_text())).unwrap();
    let amounts: Vec<_> = list.iter().map(|it| it["amount"].to_string()).collect();
    Ok(amounts.join(" "))
}

#[test]
fn decimal_commas_are_read_only_when_asked_for() {
    let csv = |delimiter: char, amounts: &[&str]| -> String {
        let rows = amounts
            .iter()
            .map(|amount| format!("a{delimiter}b{delimiter}\"{amount}\"\n"));
        format!(
            "sender{delimiter}recipient{delimiter}amount\n{}",
            rows.collect::<String>()
        )
    };
    use DecimalSeparator::{Comma, Point};
    use Strictness::{Presence, Strict};
    let commas = [
        "1,5",
        "-0,25",
        " 7 ",
        "1,5E+3",
        "12345678901234567890,0",
        "0,1",
    ];
    for delimiter in [',', ';', '\t', '|'] {
        let text = csv(delimiter, &commas);
        let read = amounts(&text, Comma, Presence).unwrap();
        assert_eq!(read, "1.5 -0.25 7 1500.0 1.2345678901234567e+19 0.1");
        // Never as thousands.
        let text = csv(delimiter, &["1,234,5", "many", "1,"]);
        let read = amounts(&text, Comma, Presence).unwrap();
        assert_eq!(read, r#""1,234,5" "many" "1,""#);
        for point in ["1.5", "1.234,5", "1.234"] {
            let error = amounts(&csv(delimiter, &["1", point]), Comma, Presence);
            assert!(
                matches!(
                    error,
                    Err(QueueError::Csv {
                        line: 3,
                        problem: CsvProblem::AmbiguousPoint { .. }
                    })
                ),
                "{error:?}"
            );
        }
        for strictness in [Presence, Strict] {
            let read = amounts(&csv(delimiter, &["1", "1,5"]), Point, strictness);
            match read {
                Err(QueueError::Csv {
                    line: 3,
                    problem: CsvProblem::DecimalComma { number, .. },
                }) if delimiter != ',' || strictness == Strict => assert_eq!(number, "1.5"),
                Ok(read) => assert_eq!((read.as_str(), delimiter), (r#"1 "1,5""#, ',')),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn doubtful_cells_are_counted_and_the_first_is_named() {
    let csv = "sender,recipient,amount\na,b,1\n\n a,b\t,007\na,b , 5 \na,\u{a0}b,x\n";
    let mut queue = Queue::new(csv.as_bytes(), NonZeroUsize::MIN, Strictness::Presence);
    assert_eq!(queue.by_ref().filter_map(Result::ok).count(), 4);
    let doubts = queue.doubts("q").and(CsvDoubts::default());
    let doubts = CsvDoubts::default().and(doubts.clone()).and(doubts);
    let names = doubts.padded_names.unwrap();
    assert_eq!((names.line, names.field, names.count), (4, "sender", 8));
    assert_eq!(
        (names.queue.as_str(), names.first.as_str()),
        ("q", "\" a\"")
    );
    let amounts = doubts.text_amounts.unwrap();
    assert_eq!(
        (amounts.line, amounts.field, amounts.count),
        (4, "amount", 4)
    );
}
