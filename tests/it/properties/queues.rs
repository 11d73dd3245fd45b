//! Every CSV file that Python's csv module writes is read as the transactions in
//! it, if there is a Python.

use std::num::NonZeroUsize;

use fourzero::batch::{DecimalSeparator, Queue};
use fourzero::chain::{Strictness, Transactions};
use proptest::prelude::*;

use super::cases;
use super::plan::name;
use crate::naive::{Json, number, text, transaction};
use crate::python::has_python;

/// Prints the files as lines of JSON: the decimal separator and the text.
const WRITE_CSV: &str = r#"
import csv, io, itertools, json, sys

transactions = json.load(sys.stdin)
quotings = csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC, csv.QUOTE_NONE
for delimiter, quoting, end, point in itertools.product(",;\t|", quotings, ("\r\n", "\n", "\r"), ".,"):
    rows = [["note, or; not", "sender", "amount", "recipient"]]
    for each in transactions:
        amount = each["amount"]
        if point != ".":
            amount = str(amount).replace(".", point)
        rows.append(["", each["sender"], amount, each["recipient"]])
    file = io.StringIO()
    dialect = dict(delimiter=delimiter, lineterminator=end)
    try:
        csv.writer(file, quoting=quoting, **dialect).writerows(rows)
        lines = io.StringIO(file.getvalue(), newline="")
        read = list(csv.reader(lines, **dialect))
    except csv.Error:
        # Without quotes, some rows cannot be written.
        continue
    # Python 3.12 and earlier write some line ends without quotes.
    if read == [[str(cell) for cell in row] for row in rows]:
        for start in ["", "\ufeff", "sep=" + delimiter + end]:
            print(json.dumps([point, start + file.getvalue()]))
"#;

fn written_by_python(transactions: &[Json]) -> Vec<(DecimalSeparator, String)> {
    let run = assert_cmd::Command::new("python3")
        .args(["-c", WRITE_CSV])
        .write_stdin(Json::List(transactions.to_vec()).canonical())
        .unwrap();
    let lines = String::from_utf8(run.stdout).unwrap();
    lines
        .lines()
        .map(|line| {
            let (point, text): (String, String) = serde_json::from_str(line).unwrap();
            let decimal = match point.as_str() {
                "." => DecimalSeparator::Point,
                _ => DecimalSeparator::Comma,
            };
            (decimal, text)
        })
        .collect()
}

fn amount() -> impl Strategy<Value = Json> {
    prop_oneof![
        any::<i64>().prop_map(number),
        any::<u128>().prop_map(number),
        prop::num::f64::NORMAL.prop_map(|value| number(format!("{value:e}"))),
        (-1_000_000i32..1_000_000)
            .prop_map(|cents| number(format!("{:.2}", f64::from(cents) / 100.0))),
    ]
}

fn row() -> impl Strategy<Value = Json> {
    let name = || name().prop_filter("a name is not blank", |name| !name.trim().is_empty());
    (name(), name(), amount())
        .prop_map(|(sender, recipient, amount)| transaction(text(sender), text(recipient), amount))
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn csv_that_python_writes_holds_the_same_transactions(
        transactions in prop::collection::vec(row(), 1..8),
    ) {
        if !has_python() {
            return Ok(());
        }
        let expected: Vec<_> = transactions.iter().map(Json::canonical).collect();
        let expected = expected.join(", ");
        let files = written_by_python(&transactions);
        // At least those with all quotes.
        prop_assert!(files.len() >= 4 * 3 * 2 * 3, "{} files", files.len());
        for (decimal, text) in files {
            let queue = Queue::new(text.as_bytes(), NonZeroUsize::MAX, Strictness::Presence);
            let blocks: Result<Vec<_>, _> = queue.with_decimal(decimal).collect();
            let blocks = blocks.map_err(|error| TestCaseError::fail(format!("{error}: {text:?}")))?;
            let found: Vec<_> = blocks.iter().map(Transactions::canonical_text).collect();
            prop_assert_eq!(found, [&expected], "{:?}", text);
        }
    }
}
