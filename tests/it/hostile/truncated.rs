//! Queues cut at every byte: complete transactions are read, and the rest is an
//! error. Chains are in `verify_unreadable`.

use std::num::NonZeroUsize;

use fourzero::batch::{Queue, QueueError};
use fourzero::chain::Strictness;

/// The number of transactions in a queue.
fn read(bytes: &[u8]) -> Result<usize, QueueError> {
    let blocks = Queue::new(bytes, NonZeroUsize::MIN, Strictness::Presence);
    blocks.map(|block| Ok(block?.count())).sum()
}

const LINES: &str = "{\"sender\": \"é\", \"recipient\": \"b\", \"amount\": 1.5e3}\n\
                     [{\"sender\": 1, \"recipient\": [2, {\"c\": \"😀\"}], \"amount\": null}]\n\
                     {\"sender\": \"\\ud83d\\ude00\", \"recipient\": \"b\", \"amount\": -7}\n";

#[test]
fn json_lines_end_in_an_error_unless_cut_between_lines() {
    for cut in 0..=LINES.len() {
        let read = read(&LINES.as_bytes()[..cut]);
        let before = LINES.as_bytes()[..cut]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        let is_at_end = LINES.as_bytes()[..cut].ends_with(b"\n");
        let is_just_before_end = LINES.as_bytes().get(cut) == Some(&b'\n');
        match read {
            Ok(count) => {
                assert!(is_at_end || is_just_before_end, "cut at {cut}");
                assert_eq!(
                    count,
                    before + usize::from(is_just_before_end),
                    "cut at {cut}"
                );
            }
            Err(QueueError::Empty) => assert_eq!(cut, 0),
            Err(error) => {
                assert!(!is_at_end && !is_just_before_end, "cut at {cut}: {error}");
                let place = format!("line {} column ", before + 1);
                assert!(
                    error.to_string().starts_with(&place),
                    "cut at {cut}: {error}"
                );
            }
        }
    }
}

#[test]
fn a_cut_array_is_an_error() {
    let lines: Vec<_> = LINES
        .lines()
        .map(|line| line.trim_matches(['[', ']']))
        .collect();
    let array = format!("[{}]", lines.join(",\n"));
    for cut in 1..array.len() {
        let error = read(&array.as_bytes()[..cut]).unwrap_err();
        assert!(
            error.to_string().starts_with("line "),
            "cut at {cut}: {error}"
        );
    }
    assert_eq!(read(array.as_bytes()).unwrap(), 3);
}

#[test]
fn csv_ends_in_an_error_if_a_field_or_quote_is_missing() {
    let csv = "sender,recipient,amount\r\né,\"b,\n\"\"\",10\r\nc,d,2\r\n";
    let header = "sender,recipient,amount".len();
    for cut in 1..=csv.len() {
        let text = &csv.as_bytes()[..cut];
        match read(text) {
            // Missing digits and line ends cannot be detected.
            Ok(count) => {
                let text = std::str::from_utf8(text).unwrap().trim_end();
                let rows = match text {
                    text if text.ends_with("\",1") || text.ends_with("\",10") => 1,
                    text if text.ends_with("c,d,2") => 2,
                    _ => panic!("cut at {cut}: {count} from {text:?}"),
                };
                assert_eq!(count, rows, "cut at {cut}");
            }
            Err(QueueError::Empty) => assert!((header..header + 3).contains(&cut), "{cut}"),
            Err(error) => {
                let error = error.to_string();
                assert!(error.starts_with("line "), "cut at {cut}: {error}");
            }
        }
    }
}
