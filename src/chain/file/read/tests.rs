use super::*;

fn read(text: &str) -> (Vec<String>, Option<String>, Option<String>) {
    let mut reader = ChainReader::new(text.as_bytes());
    let mut batch = Batch::default();
    let mut blocks = Vec::new();
    let error = loop {
        match reader.fill(&mut batch) {
            Ok(true) => blocks.extend(
                batch
                    .blocks()
                    .map(|(text, _)| String::from_utf8(text.to_vec()).unwrap()),
            ),
            Ok(false) => break None,
            Err(error) => break Some(error.to_string()),
        }
    };
    let length = reader
        .stated_length()
        .map(|text| String::from_utf8(text.to_vec()).unwrap());
    (blocks, length, error)
}

#[test]
fn all_formats_give_the_same_blocks() {
    let blocks = vec!["{\"proof\":1}".to_owned(), "{\"b\": 2}".to_owned()];
    for (text, length) in [
        (
            "{\"chain\": [{\"proof\":1}, {\"b\": 2}], \"length\": 2}",
            Some("2"),
        ),
        (
            "\n{ \"length\" : 2 , \"x\": [{}], \"chain\" :[ {\"proof\":1}\n,{\"b\": 2} ] } \n",
            Some("2"),
        ),
        ("{\"cha\\u0069n\": [{\"proof\":1},{\"b\": 2}]}", None),
        ("[{\"proof\":1},{\"b\": 2}]", None),
        ("{\"proof\":1}\n{\"b\": 2}\n", None),
        ("\u{feff}{ \"proof\" : 1 }\r\n\r\n{\"b\": 2}", None),
    ] {
        assert_eq!(
            read(text),
            (blocks.clone(), length.map(str::to_owned), None),
            "{text}"
        );
    }
    for empty in ["[]", "{\"chain\":[ ]}"] {
        assert_eq!(read(empty), (vec![], None, None));
    }
}

#[test]
fn an_unreadable_chain_is_an_error_with_its_place() {
    for (text, expected) in [
        (
            "",
            "line 1 column 1: the text ends here, but a chain ('{' or '[') was expected",
        ),
        (
            " \n",
            "line 2 column 1: the text ends here, but a chain ('{' or '[') was expected",
        ),
        (
            "hello",
            "line 1 column 1: found 'h', but a chain ('{' or '[') was expected",
        ),
        (
            "42",
            "line 1 column 1: found '4', but a chain ('{' or '[') was expected",
        ),
        (
            "[[]",
            "line 1 column 4: the text ends here, but ',' or ']' was expected (after block 1)",
        ),
        (
            "[[]\n,",
            "line 2 column 2: the text ends here, but a block was expected (after block 1)",
        ),
        (
            "[[],]",
            "line 1 column 5: found ']', but a block was expected (after block 1)",
        ),
        (
            "[[] {}]",
            "line 1 column 5: found '{', but ',' or ']' was expected (after block 1)",
        ),
        (
            "[]]",
            "line 1 column 3: found ']', but the end of the file was expected",
        ),
        (
            "{\"chain\": [{}",
            "line 1 column 14: the text ends here, but ',' or ']' was expected (after block 1)",
        ),
        (
            "{\"chain\": [{}]",
            "line 1 column 15: the text ends here, but ',' or '}' was expected",
        ),
        (
            "{\"chain\": []} x",
            "line 1 column 15: found 'x', but the end of the file was expected",
        ),
        (
            "{\"chain\": [], \"chain\": []}",
            "line 1 column 15: \"chain\" is a second chain in the same object",
        ),
        (
            "{\"a\": nul}",
            "line 1 column 7: found 'n', but a JSON value was expected",
        ),
        (
            "{\"a\" 1}",
            "line 1 column 6: found '1', but ':' was expected",
        ),
        (
            "{1: 1}",
            "line 1 column 2: found '1', but a string as key was expected",
        ),
        (
            "{",
            "line 1 column 2: the text ends here, but a string as key was expected",
        ),
        (
            "{,}",
            "line 1 column 2: found ',', but a string as key was expected",
        ),
        (
            "{\"a\":1,}",
            "line 1 column 8: found '}', but a string as key was expected",
        ),
    ] {
        let (_, _, error) = read(text);
        assert_eq!(error.as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn blocks_before_an_error_are_returned_first() {
    let (blocks, _, error) = read("[[],[],x");
    assert_eq!(blocks, ["[]", "[]", "x"]);
    assert!(error.is_some());
}
