//! What is checked in the values of a transaction.

use super::TransactionProblem;
use crate::chain::json::{View, read_escape};

/// What a transaction's values must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Strictness {
    /// The three keys are present, with any values: all that the tutorial
    /// requires.
    #[default]
    Presence,
    /// In addition, sender and recipient are strings that are not blank, and the
    /// amount is a number above 0. A number too small for a double is 0.
    Strict,
}

/// Checks the value of a field as [`Strictness::Strict`] requires.
pub(crate) fn check_value(field: &'static str, value: View<'_>) -> Result<(), TransactionProblem> {
    let (is_right, expected) = match field {
        "amount" => (is_positive(value.text()), "a number above 0"),
        _ => (
            value.string().is_some_and(|name| !is_blank(name)),
            "a string that is not blank",
        ),
    };
    if is_right {
        return Ok(());
    }
    Err(TransactionProblem::WrongValue {
        field,
        found: value.excerpt(),
        expected,
    })
}

/// Whether a canonical value is a number above 0. Of the canonical zeros, -0.0
/// starts with its sign.
#[inline(always)]
pub(in crate::chain) fn is_positive(value: &[u8]) -> bool {
    value[0].is_ascii_digit() && !matches!(value, b"0" | b"0.0")
}

/// Whether a canonical string, given without its quotes, is empty or white space.
#[inline(always)]
pub(in crate::chain) fn is_blank(mut string: &[u8]) -> bool {
    loop {
        let (character, length) = match string {
            [] => return true,
            [b'\\', ..] => read_escape(string).expect("canonical strings have whole escapes"),
            [byte, ..] => (char::from(*byte), 1),
        };
        if !character.is_whitespace() {
            return false;
        }
        string = &string[length..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::json::{canonical, write_string};

    #[test]
    fn amounts_above_zero_are_positive() {
        for (amounts, expected) in [
            (
                &["1", "0.1", "5e-324", "1e308", "1E2", "9007199254740993"][..],
                true,
            ),
            (
                &["0", "-0", "0.0", "-0.0", "0e5", "1e-400", "-1e-400"],
                false,
            ),
            (&["-1", "-0.5", "-1e308", "-5e-324"], false),
            (&["\"5\"", "null", "true", "false", "[1]", "{}"], false),
        ] {
            for amount in amounts {
                let text = canonical(amount.as_bytes()).unwrap();
                assert_eq!(is_positive(text.as_bytes()), expected, "{amount}");
            }
        }
        for digits in [10, 400, 100_000] {
            let digits = "9".repeat(digits);
            assert!(is_positive(digits.as_bytes()));
            assert!(!is_positive(format!("-{digits}").as_bytes()));
        }
    }

    #[test]
    fn a_name_is_blank_as_the_standard_library_trims_it() {
        let spaces: Vec<_> = ('\0'..=char::MAX)
            .filter(|character| character.is_whitespace())
            .map(String::from)
            .collect();
        let mut names = vec![String::new(), " \t\r\n ".to_owned(), spaces.concat()];
        for space in &spaces {
            names.extend(["", "a", "é", "😀", "\u{0}"].map(|name| format!("{space}{name}{space}")));
        }
        for name in names {
            let mut text = Vec::new();
            write_string(&name, &mut text);
            let inner = View::of(&text).string().unwrap();
            assert_eq!(is_blank(inner), name.trim().is_empty(), "{name:?}");
        }
    }
}
