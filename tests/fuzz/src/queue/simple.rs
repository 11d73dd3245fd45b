//! A simple queue reader.

use fourzero::chain::Strictness;

use super::Content;
use crate::naive::{Json, text as string, transaction};
use crate::serde_tree::{self, Tree};

/// The result of reading a text.
enum Reading {
    /// Not a queue, or a queue with an error.
    Refused,
    Queue(Vec<Item>),
    /// This reader cannot decide.
    Unclear,
}

enum Item {
    Transaction(Json),
    Block(Vec<Json>),
}

/// Asserts that `found` is what this reader finds.
pub(super) fn compare(text: &[u8], found: &Content, block_size: usize, strictness: Strictness) {
    match read(text, strictness) {
        Reading::Unclear => {}
        Reading::Refused => assert!(found.error.is_some(), "not a queue, but {found:?}"),
        Reading::Queue(items) => {
            let blocks: Vec<_> = gathered(items, block_size)
                .iter()
                .map(|block| {
                    let texts: Vec<_> = block.iter().map(Json::canonical).collect();
                    (block.len(), texts.join(", "))
                })
                .collect();
            assert_eq!(found.error, None);
            assert_eq!(found.blocks, blocks);
        }
    }
}

/// The transactions of each block.
fn gathered(items: Vec<Item>, block_size: usize) -> Vec<Vec<Json>> {
    let mut blocks = Vec::new();
    let mut pending = Vec::new();
    for item in items {
        match item {
            Item::Transaction(transaction) => pending.push(transaction),
            Item::Block(block) => {
                if !pending.is_empty() {
                    blocks.push(std::mem::take(&mut pending));
                }
                blocks.push(block);
            }
        }
        if pending.len() == block_size {
            blocks.push(std::mem::take(&mut pending));
        }
    }
    if !pending.is_empty() {
        blocks.push(pending);
    }
    blocks
}

fn read(text: &[u8], strictness: Strictness) -> Reading {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
    let Some(start) = text.iter().position(|byte| !is_space(byte)) else {
        return Reading::Refused;
    };
    // The tab of a header whose first name is empty.
    let is_kept = start == 1 && text[0] == b'\t' && !matches!(text[1], b'{' | b'[');
    let text = &text[start - usize::from(is_kept)..];
    let items = match text[0] {
        b'{' | b'[' => {
            // The limit of nesting is lower for a transaction than for a value.
            if serde_tree::is_beyond_serde(text) || serde_tree::is_too_deep(text, 900) {
                return Reading::Unclear;
            }
            json(text, strictness)
        }
        _ => match delimited(text) {
            None => return Reading::Unclear,
            Some((delimiter, records)) => csv(&records, delimiter, strictness),
        },
    };
    let count = |item: &Item| match item {
        Item::Transaction(_) => 1,
        Item::Block(block) => block.len(),
    };
    match items {
        Some(items) if items.iter().map(count).sum::<usize>() > 0 => Reading::Queue(items),
        _ => Reading::Refused,
    }
}

/// `None` if something is wrong.
fn json(text: &[u8], strictness: Strictness) -> Option<Vec<Item>> {
    let trees = serde_tree::stream(text)?;
    let values: Vec<_> = trees.iter().map(Tree::json).collect::<Option<_>>()?;
    let values = match values.as_slice() {
        [Json::List(elements)] => return transactions(elements, strictness),
        [value] if holds_queue(value) => {
            has_one_list(&trees[0]).then_some(())?;
            return transactions(value.get("transactions")?.list(), strictness);
        }
        values => values,
    };
    let items = values.iter().map(|value| match value {
        Json::List(elements) => {
            let block = elements.iter().map(|value| entry(value, strictness));
            Some(Item::Block(block.collect::<Option<_>>()?))
        }
        value => Some(Item::Transaction(entry(value, strictness)?)),
    });
    items.collect()
}

fn transactions(list: &[Json], strictness: Strictness) -> Option<Vec<Item>> {
    let items = list.iter().map(|value| entry(value, strictness));
    items.map(|item| Some(Item::Transaction(item?))).collect()
}

/// Whether an object that is the whole file holds the queue.
fn holds_queue(value: &Json) -> bool {
    let Json::Object(_) = value else {
        return false;
    };
    let has = |key: &str| value.get(key).is_some();
    let has_list = |key: &str| matches!(value.get(key), Some(Json::List(_)));
    let is_transaction = ["sender", "recipient", "amount"].into_iter().all(has);
    let is_of_chain = ["previous_hash", "proof", "previousHash"]
        .into_iter()
        .any(has)
        || ["chain", "new_chain"].into_iter().any(has_list);
    has_list("transactions") && !is_transaction && !is_of_chain
}

/// Whether no member `"transactions"` follows one with a list.
fn has_one_list(object: &Tree) -> bool {
    let Tree::Object(members) = object else {
        return false;
    };
    let mut lists = members
        .iter()
        .filter(|(key, _)| key == "transactions")
        .skip_while(|(_, value)| !matches!(value, Tree::List(_)));
    lists.next().is_some() && lists.next().is_none()
}

/// A transaction with just the three required keys.
fn entry(value: &Json, strictness: Strictness) -> Option<Json> {
    let field = |key| value.get(key).cloned();
    let (sender, recipient, amount) = (field("sender")?, field("recipient")?, field("amount")?);
    let is_name = |value: &Json| matches!(value, Json::Text(name) if !name.trim().is_empty());
    let is_strict = is_name(&sender) && is_name(&recipient) && is_positive(&amount);
    let is_taken = is_strict || strictness == Strictness::Presence;
    is_taken.then(|| transaction(sender, recipient, amount))
}

fn is_positive(value: &Json) -> bool {
    matches!(value, Json::Number(number) if number.parse().is_ok_and(|value: f64| value > 0.0))
}

/// The delimiter, and the records without a line that names it; `None` if this
/// reader cannot decide.
fn delimited(text: &[u8]) -> Option<(u8, Vec<Vec<Vec<u8>>>)> {
    let line_end = text.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
    let line = &text[..line_end.unwrap_or(text.len())];
    let start = line.to_ascii_lowercase();
    if start.starts_with(b"sep=") || start.starts_with(b"\"sep=") {
        let [.., b'=', delimiter] = line else {
            return None;
        };
        if line.len() != 5 || !delimiter.is_ascii() || *delimiter == b'"' {
            return None;
        }
        return Some((*delimiter, records(&text[line.len()..], *delimiter)?));
    }
    for delimiter in *b",;\t|" {
        let records = records(text, delimiter)?;
        if records
            .first()
            .is_some_and(|header| columns(header).is_some())
        {
            return Some((delimiter, records));
        }
    }
    Some((b',', records(text, b',')?))
}

/// The fields of each record, or `None` if a quote is in a place where RFC 4180
/// does not allow one.
fn records(text: &[u8], delimiter: u8) -> Option<Vec<Vec<Vec<u8>>>> {
    let mut records = Vec::new();
    let mut rest = text;
    loop {
        while let [b'\r' | b'\n', after @ ..] = rest {
            rest = after;
        }
        if rest.is_empty() {
            return Some(records);
        }
        let mut record = Vec::new();
        loop {
            let mut field = Vec::new();
            if let [b'"', after @ ..] = rest {
                rest = after;
                loop {
                    let end = rest.iter().position(|byte| *byte == b'"')?;
                    field.extend_from_slice(&rest[..end]);
                    rest = &rest[end + 1..];
                    if rest.first() != Some(&b'"') {
                        break;
                    }
                    field.push(b'"');
                    rest = &rest[1..];
                }
            } else {
                let is_end = |byte: &u8| *byte == delimiter || matches!(byte, b'\r' | b'\n');
                let end = rest.iter().position(is_end).unwrap_or(rest.len());
                field.extend_from_slice(&rest[..end]);
                rest = &rest[end..];
                if field.contains(&b'"') {
                    return None;
                }
            }
            record.push(field);
            match rest {
                [byte, after @ ..] if *byte == delimiter => rest = after,
                [] | [b'\r' | b'\n', ..] => break,
                _ => return None,
            }
        }
        records.push(record);
    }
}

/// The positions of sender, recipient and amount in a header.
fn columns(header: &[Vec<u8>]) -> Option<[usize; 3]> {
    let header: Vec<_> = header
        .iter()
        .map(|name| std::str::from_utf8(name).ok())
        .collect::<Option<_>>()?;
    let column = |name: &str| {
        let mut places = (0..header.len()).filter(|place| header[*place].trim() == name);
        let place = places.next()?;
        places.next().is_none().then_some(place)
    };
    Some([column("sender")?, column("recipient")?, column("amount")?])
}

/// `None` if something is wrong.
fn csv(records: &[Vec<Vec<u8>>], delimiter: u8, strictness: Strictness) -> Option<Vec<Item>> {
    let (header, rows) = records.split_first()?;
    let columns = columns(header)?;
    let row = |row: &Vec<Vec<u8>>| {
        if row.len() != header.len() {
            return None;
        }
        let [sender, recipient, amount] =
            columns.map(|column| std::str::from_utf8(&row[column]).ok());
        let amount = self::amount(amount?, delimiter, strictness)?;
        let (sender, recipient) = (sender?, recipient?);
        if [sender, recipient]
            .iter()
            .any(|name| name.trim().is_empty())
        {
            return None;
        }
        let entry = transaction(string(sender), string(recipient), amount);
        Some(Item::Transaction(entry))
    };
    let has_text = |row: &&Vec<Vec<u8>>| row.iter().any(|cell| !cell.trim_ascii().is_empty());
    rows.iter().filter(has_text).map(row).collect()
}

/// A number if it is written as in JSON, or else a string.
fn amount(cell: &str, delimiter: u8, strictness: Strictness) -> Option<Json> {
    let trimmed = cell.trim();
    if trimmed.is_empty() {
        return None;
    }
    if let Ok(number) = serde_json::from_str::<serde_json::Number>(trimmed) {
        // Outside the range of a double, this is not a number.
        let number = serde_tree::one(number.as_str().as_bytes())?;
        let is_taken = strictness == Strictness::Presence || is_positive(&number);
        return (matches!(number, Json::Number(_)) && is_taken).then_some(number);
    }
    let with_point = trimmed.replace(',', ".");
    let has_comma = !trimmed.contains('.')
        && serde_json::from_str::<serde_json::Number>(&with_point).is_ok_and(|number| {
            matches!(
                serde_tree::one(number.as_str().as_bytes()),
                Some(Json::Number(_))
            )
        });
    let is_refused = strictness == Strictness::Strict || (delimiter != b',' && has_comma);
    (!is_refused).then(|| string(cell))
}
