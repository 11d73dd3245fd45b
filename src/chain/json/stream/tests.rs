//! Values from a stream, with any size of reads.

use super::*;

/// Returns one byte per read, the worst case for looking ahead.
struct SingleBytes<'a>(&'a [u8]);

impl Read for SingleBytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some((first, rest)) = self.0.split_first() else {
            return Ok(0);
        };
        buffer[0] = *first;
        self.0 = rest;
        Ok(1)
    }
}

#[test]
fn values_end_where_they_should_with_single_byte_reads() {
    let text = "\u{feff} {\"a\":\"}\\\"]\"} [1,[2]]\n\t\"x\\\\\" 12,true";
    let mut stream = JsonStream::new(SingleBytes(text.as_bytes()));
    let mut found = Vec::new();
    while let Some(byte) = stream.peek().unwrap() {
        let position = stream.position();
        if byte == b',' {
            stream.bump();
            continue;
        }
        let value = String::from_utf8(stream.value().unwrap().to_vec()).unwrap();
        found.push((position.line, position.column, value));
    }
    assert_eq!(
        found,
        [
            (1, 2, r#"{"a":"}\"]"}"#.to_owned()),
            (1, 15, "[1,[2]]".to_owned()),
            (2, 2, r#""x\\""#.to_owned()),
            (2, 8, "12".to_owned()),
            (2, 11, "true".to_owned()),
        ]
    );
}

#[test]
fn an_unexpected_character_is_shown_whole_with_single_byte_reads() {
    let error = |text: &[u8]| {
        let mut stream = JsonStream::new(SingleBytes(text));
        stream.peek().unwrap();
        stream.unexpected("a block").to_string()
    };
    assert_eq!(
        error("😀".as_bytes()),
        "line 1 column 1: found '😀', but a block was expected"
    );
    let cut = error(b"\xf0\x9f\x98");
    assert_eq!(cut, "line 1 column 1: these bytes are not UTF-8");
    assert_eq!(error(b"\xf0\x9f\"x"), cut);
}

#[test]
fn an_unfinished_value_is_an_error_at_the_end_of_the_text() {
    for (text, expected) in [
        (
            "[1,\n{\"a\": \"b",
            "line 2 column 9: the text ends here, but the end of the string ('\"') was expected",
        ),
        (
            "[1,\n{}",
            "line 2 column 3: the text ends here, but the end of the array (']') was expected",
        ),
        (
            "{\"\\",
            "line 1 column 4: the text ends here, but the end of the string ('\"') was expected",
        ),
    ] {
        let mut stream = JsonStream::new(SingleBytes(text.as_bytes()));
        stream.peek().unwrap();
        assert_eq!(stream.value().unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_value_over_the_limit_is_refused_without_reading_it_all() {
    let endless = b"[\"".chain(io::repeat(b'x'));
    let mut stream = JsonStream::new(endless);
    stream.peek().unwrap();
    let error = stream.value().unwrap_err();
    assert!(
        matches!(
            error,
            StreamError::TooLarge {
                position: Position::START
            }
        ),
        "{error}"
    );
}

#[test]
fn looking_ahead_does_not_consume() {
    let mut stream = JsonStream::new(SingleBytes(b" [1] \n {}"));
    stream.peek().unwrap();
    let length = stream.value_length().unwrap().unwrap();
    assert!(stream.has_more_after(length).unwrap());
    assert_eq!(stream.value().unwrap(), b"[1]");
    stream.peek().unwrap();
    let length = stream.value_length().unwrap().unwrap();
    assert!(!stream.has_more_after(length).unwrap());
    let (buffer, source) = stream.into_bytes();
    assert_eq!(buffer.unread(), b"{}");
    assert!(source.is_at_end());
}

#[test]
fn foreign_formats_are_recognized_by_their_first_bytes() {
    fn foreign(source: impl Read) -> Option<ForeignFormat> {
        let mut stream = JsonStream::new(source);
        stream.peek().unwrap();
        stream.foreign_format()
    }
    let cases: [(&[u8], _); 16] = [
        (b"\xff\xfe\0\0{\0\0\0", Some(ForeignFormat::Utf32)),
        (b"\0\0\xfe\xff\0\0\0{", Some(ForeignFormat::Utf32)),
        (b"BZh91AY", Some(ForeignFormat::Bzip2)),
        (b"\xfd7zXZ\0", Some(ForeignFormat::Xz)),
        (b"\x28\xb5\x2f\xfd", Some(ForeignFormat::Zstd)),
        (b"\xff\xfe{\0", Some(ForeignFormat::Utf16)),
        (b"PK\x03\x04", Some(ForeignFormat::Zip)),
        (b"\x1f\x8b", Some(ForeignFormat::Gzip)),
        // After the byte order mark of UTF-8, everything is text.
        (b"\xef\xbb\xbf\xfe\xff\xff", None),
        (b"\xef\xbb\xbfPK\x03\x04", None),
        (b" \x1f\x8b", None),
        (b"PK", None),
        (b"\r\n \t<!doctype html>", Some(ForeignFormat::Html)),
        (b"\xef\xbb\xbf<html>", Some(ForeignFormat::Html)),
        (b"HTTP/1.1 200 OK", Some(ForeignFormat::HttpResponse)),
        (b"HTTPS", None),
    ];
    for (bytes, expected) in cases {
        assert_eq!(foreign(bytes), expected, "{bytes:x?}");
        assert_eq!(
            foreign(SingleBytes(bytes)),
            expected,
            "{bytes:x?}, byte by byte"
        );
    }
}

#[test]
fn text_taken_ahead_replaces_the_old_text() {
    for length in [1, 2, 3, 7] {
        let mut stream = JsonStream::new(&b"[12, 3]"[..]);
        let mut out = ReadBuffer::default();
        out.push(b"old text");
        assert_eq!(stream.peek_ahead(), Some(b'['));
        stream.take_ahead(&mut out, length);
        assert_eq!(out.unread(), &b"[12, 3]"[..length]);
        stream.put_back(&out.unread()[1..]);
        stream.take_ahead(&mut out, 20);
        assert_eq!(out.unread(), b"12, 3]");
        assert_eq!(stream.bytes_read(), 7);
    }
}

#[test]
fn an_error_from_looking_ahead_is_returned_later() {
    /// Fails once, then ends.
    struct FailsOnce(bool);

    impl Read for FailsOnce {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            match std::mem::replace(&mut self.0, true) {
                true => Ok(0),
                false => Err(io::Error::other("the disk is gone")),
            }
        }
    }

    let mut stream = JsonStream::new(b"1   ".chain(FailsOnce(false)));
    assert_eq!(stream.peek_ahead(), Some(b'1'));
    stream.bump();
    assert_eq!(stream.peek_ahead(), None);
    assert_eq!(stream.peek_ahead(), None);
    let error = stream.peek().unwrap_err();
    assert_eq!(error.to_string(), "the disk is gone");
    assert_eq!(stream.peek().unwrap(), None);
}
