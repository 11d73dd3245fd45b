//! The transcoder's output and errors.

use super::*;

fn text(json: &str) -> String {
    canonical(json.as_bytes()).unwrap()
}

fn error(json: &str) -> (usize, String) {
    let error = canonical(json.as_bytes()).unwrap_err();
    (error.offset, error.to_string())
}

#[test]
fn values_are_written_as_documented() {
    for (read, written) in [
        (r#""é""#, r#""\u00e9""#),
        (r#""😀""#, r#""\ud83d\ude00""#),
        ("\"\u{7f}\"", r#""\u007f""#),
        (r#""\/""#, r#""/""#),
        (
            r#""\u0041\u00E9\uD83D\uDE00\u000A""#,
            r#""A\u00e9\ud83d\ude00\n""#,
        ),
        ("-0", "0"),
        (
            "123456789012345678901234567890",
            "123456789012345678901234567890",
        ),
        ("1.0", "1.0"),
        ("1E5", "100000.0"),
        ("1.10", "1.1"),
        ("1e15", "1000000000000000.0"),
        ("1e16", "1e+16"),
        ("-1e-7", "-1e-07"),
        ("-0.0", "-0.0"),
        ("1e-400", "0.0"),
        (r#"{"b":1,"a":2,"a":3}"#, r#"{"a": 3, "b": 1}"#),
        (" [ ] ", "[]"),
        ("{ }", "{}"),
        ("[true ,false,null]", "[true, false, null]"),
    ] {
        assert_eq!(text(read), written, "{read}");
    }
}

#[test]
fn keys_sort_by_code_point_at_every_level() {
    assert_eq!(
        text(r#"{"😀":1,"\uffff":2,"Z":3,"a":{"é":1,"\u0000":2,"e":3},"":5}"#),
        r#"{"": 5, "Z": 3, "a": {"\u0000": 2, "e": 3, "\u00e9": 1}, "\uffff": 2, "\ud83d\ude00": 1}"#
    );
}

#[test]
fn equal_keys_are_equal_however_they_are_escaped() {
    assert_eq!(
        text(r#"{"a":1,"b":2,"\u0061":[3]}"#),
        r#"{"a": [3], "b": 2}"#
    );
    assert_eq!(text(r#"{"a":1,"\u0061":2}"#), r#"{"a": 2}"#);
    assert_eq!(
        text(r#"{"a":{"z":1,"y":2},"a":{"x":1}}"#),
        r#"{"a": {"x": 1}}"#
    );
}

#[test]
fn errors_have_the_place_and_what_was_expected() {
    for (json, offset, message) in [
        ("", 0, "the text ends here, but a JSON value was expected"),
        ("[1,]", 3, "found ']', but a JSON value was expected"),
        ("[1 2]", 3, "found '2', but ',' or ']' was expected"),
        ("{\"a\" 1}", 5, "found '1', but ':' was expected"),
        ("{a: 1}", 1, "found 'a', but a string as key was expected"),
        (
            "{\"a\":1,}",
            7,
            "found '}', but a string as key was expected",
        ),
        ("1 1", 2, "found '1', but the end of the text was expected"),
        ("01", 1, "found '1', but the end of the text was expected"),
        ("1.", 2, "the text ends here, but a digit was expected"),
        ("1e+", 3, "the text ends here, but a digit was expected"),
        ("-", 1, "the text ends here, but a digit was expected"),
        (".5", 0, "found '.', but a JSON value was expected"),
        ("tru", 0, "found 't', but a JSON value was expected"),
        ("[NaN]", 1, "NaN is not JSON"),
        ("-Infinity", 0, "-Infinity is not JSON"),
        ("Infinity", 0, "Infinity is not JSON"),
        ("[1e309]", 1, "this number is past the range of a double"),
        (
            "\"a",
            2,
            "the text ends here, but the end of the string ('\"') was expected",
        ),
        (r#""\x""#, 1, "this is not a JSON escape sequence"),
        (r#""\u+123""#, 1, "this is not a JSON escape sequence"),
        (
            r#""\ud800""#,
            1,
            "\\ud800 is half of a surrogate pair; its other half is missing",
        ),
        (
            r#""\udc00\ud800""#,
            1,
            "\\udc00 is half of a surrogate pair; its other half is missing",
        ),
        (
            "\"\n\"",
            1,
            "the control character U+000A in a string must be escaped",
        ),
        ("é", 0, "found 'é', but a JSON value was expected"),
    ] {
        assert_eq!(error(json), (offset, message.to_owned()), "{json}");
    }
    let error = canonical(b"[\"\xff\"]").unwrap_err();
    assert_eq!(
        (error.offset, error.kind),
        (2, SyntaxErrorKind::InvalidUtf8)
    );
}

#[test]
fn nesting_beyond_the_limit_is_an_error() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(text(&nested(MAX_DEPTH)), nested(MAX_DEPTH));
    assert_eq!(
        canonical(nested(MAX_DEPTH + 1).as_bytes())
            .unwrap_err()
            .offset,
        MAX_DEPTH
    );
    assert!(canonical("{\"a\":".repeat(100_000).as_bytes()).is_err());
}

#[test]
fn canonical_text_is_its_own_canonical_text() {
    let once = text(
        r#"{"z":[1.50,"\u00e9",{"b":null,"a":-0}],"a":1e400000}"#
            .replace("1e400000", "1e22")
            .as_str(),
    );
    assert_eq!(text(&once), once);
}
