//! Every single change to a valid chain is found.
//!
//! Only changes of a JSON value count: white space, the form of a string or
//! number, and the order of keys have no meaning. No block has the hash of the
//! last block. Only there, another timestamp, other transactions, an unknown key
//! or an equally good proof cannot be found; nor can a missing last block in a
//! file without a length.

use fourzero::chain::Format;
use fourzero::chain::json::canonical;
use fourzero::pow::Rule;
use proptest::prelude::*;

use super::cases;
use super::plan::{amount, expected, name, plan, verdict};
use crate::naive::{Json, number, object, parse, text};
use crate::naive_chain;

const FIELDS: [&str; 5] = [
    "index",
    "previous_hash",
    "proof",
    "timestamp",
    "transactions",
];

/// One change to one block, or to the order of blocks.
#[derive(Clone, Debug)]
enum Change {
    /// A field gets another value, perhaps of another type.
    Field(&'static str, Json),
    /// A field is missing.
    Missing(&'static str),
    /// A key that no block has.
    Unknown(String, Json),
    /// One of the transactions is replaced.
    Transaction(prop::sample::Index, Json),
    /// Two transactions change places.
    TransactionOrder(prop::sample::Index),
    /// A transaction is missing.
    TransactionMissing(prop::sample::Index),
    /// The block is something else.
    Block(Json),
    /// The block changes places with the next one.
    Order,
    /// The block is missing.
    BlockMissing,
    /// The block is repeated.
    BlockTwice,
}

fn value() -> impl Strategy<Value = Json> {
    prop_oneof![
        (0u64..300).prop_map(number),
        (0u64..300).prop_map(|value| number(format!("{value}.5"))),
        Just(text("1")),
        Just(parse("[]")),
        Just(parse(r#"[{"sender": "a", "recipient": "b", "amount": 1}]"#)),
        amount(),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let field = || prop::sample::select(FIELDS.to_vec());
    let place = any::<prop::sample::Index>;
    prop_oneof![
        6 => (field(), value()).prop_map(|(field, value)| Change::Field(field, value)),
        1 => field().prop_map(Change::Missing),
        1 => (name(), value()).prop_map(|(key, value)| Change::Unknown(key, value)),
        2 => (place(), value()).prop_map(|(place, value)| Change::Transaction(place, value)),
        1 => place().prop_map(Change::TransactionOrder),
        1 => place().prop_map(Change::TransactionMissing),
        1 => value().prop_map(Change::Block),
        1 => Just(Change::Order),
        1 => Just(Change::BlockMissing),
        1 => Just(Change::BlockTwice),
    ]
}

/// Makes the change to block `place`, counted from 0.
fn apply(change: &Change, chain: &mut Vec<Json>, place: usize) {
    let block = &mut chain[place];
    let mut transactions = block
        .get("transactions")
        .expect("it has them")
        .list()
        .to_vec();
    let count = transactions.len();
    match change {
        Change::Field(field, value) => block.set(field, value.clone()),
        Change::Missing(field) => block.remove(field),
        Change::Unknown(key, value) => block.set(key, value.clone()),
        Change::Transaction(at, value) if count > 0 => {
            transactions[at.index(count)].set("amount", value.clone());
        }
        Change::TransactionOrder(at) if count > 1 => {
            let at = at.index(count - 1);
            transactions.swap(at, at + 1);
        }
        Change::TransactionMissing(at) if count > 0 => drop(transactions.remove(at.index(count))),
        Change::Block(value) => *block = value.clone(),
        Change::Order if place + 1 < chain.len() => chain.swap(place, place + 1),
        Change::BlockMissing => drop(chain.remove(place)),
        Change::BlockTwice => chain.insert(place, chain[place].clone()),
        _ => {}
    }
    if count > 0
        && let Change::Transaction(..) | Change::TransactionOrder(_) | Change::TransactionMissing(_) =
            change
    {
        chain[place].set("transactions", Json::List(transactions));
    }
}

/// Whether the change can also be found in the last block.
fn is_found_in_the_last_block(change: &Change, has_length: bool) -> bool {
    match change {
        Change::Field("index" | "previous_hash", _)
        | Change::Missing(_)
        | Change::Block(_)
        | Change::BlockTwice => true,
        Change::BlockMissing => has_length,
        _ => false,
    }
}

/// The parts of the report that the independent verifier has, too.
fn summary(report: &fourzero::chain::Report) -> (Option<&'static str>, u64, Option<(u64, &str)>) {
    let fault = report.fault.as_ref();
    (
        report.rule.map(Rule::name),
        report.transactions,
        fault.map(|fault| (fault.block, fault.kind.name())),
    )
}

/// The same by the independent verifier, for a file with its length.
fn independent_summary(
    chain: &[Json],
    length: Option<&Json>,
    rule: Option<&'static str>,
    zeros: u16,
) -> (Option<&'static str>, u64, Option<(u64, &'static str)>) {
    let second = naive_chain::verify(chain, rule, zeros.into());
    let count = chain.len() as u64;
    let fault = second.fault.or_else(|| {
        let stated = match length? {
            Json::Number(digits) => digits.parse().unwrap_or(u64::MAX),
            _ => u64::MAX,
        };
        (stated != count).then_some((stated.min(count) + 1, "length"))
    });
    (second.rule, second.transactions, fault)
}

proptest! {
    #![proptest_config(cases(250))]

    #[test]
    fn every_change_of_a_value_or_of_the_order_is_found(
        plan in plan(),
        place in any::<prop::sample::Index>(),
        change in change(),
        spelling in 0..3,
    ) {
        let chain = expected(&plan);
        let place = place.index(chain.len());
        let mut changed = chain.clone();
        apply(&change, &mut changed, place);
        let is_same = meaning(&changed) == meaning(&chain);

        let blocks = changed.iter().map(|block| match spelling {
            0 => block.canonical(),
            1 => block.compact(),
            _ => block.odd(" "),
        });
        let blocks: Vec<_> = blocks.collect();
        let length = number(chain.len());
        // JSON Lines and arrays must start with what looks like a block.
        let is_block = |block: &Json| {
            let mut keys = ["index", "proof", "previous_hash"].iter();
            keys.any(|key| block.get(key).is_some())
        };
        let is_chain = changed.first().is_some_and(is_block);
        let format = if is_chain { plan.format } else { Format::Json };
        let (file, length) = match format {
            Format::Json => {
                let list = blocks.join(", ");
                (format!("{{\"chain\": [{list}], \"length\": {}}}", chain.len()), Some(&length))
            }
            Format::JsonLines => (blocks.join("\n"), None),
            Format::Array => (format!("[{}]", blocks.join(", ")), None),
        };
        for rule in [None, Some(plan.rule)] {
            let report = verdict(file.as_bytes(), rule, plan.zeros, plan.threads).unwrap();
            prop_assert_eq!(summary(&report), independent_summary(&changed, length, rule, plan.zeros));
            if is_same {
                prop_assert!(report.is_valid(), "{:?}", report);
                continue;
            }
            let is_last = place == chain.len() - 1;
            if !is_last || is_found_in_the_last_block(&change, length.is_some()) {
                let block = report.fault.map(|fault| fault.block as usize);
                prop_assert!(
                    block == Some(place + 1) || block == Some(place + 2),
                    "block {} was changed, {:?} was named", place + 1, block
                );
            }
        }
    }

    #[test]
    fn every_changed_byte_that_changes_a_value_is_found(
        plan in plan(),
        is_compact in any::<bool>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), edit()), 1..12),
    ) {
        let chain = expected(&plan);
        let file = match is_compact {
            true => object([("chain", Json::List(chain.clone())), ("length", number(chain.len()))])
                .compact(),
            false => naive_chain::json_file(&chain),
        };
        // One at a time.
        for (place, edit) in edits {
            let mut bytes = file.clone().into_bytes();
            let place = place.index(bytes.len());
            match edit {
                Edit::Remove => drop(bytes.remove(place)),
                Edit::Insert(byte) => bytes.insert(place, byte),
                Edit::Replace(byte) => bytes[place] = byte,
            }
            let found = verdict(&bytes, None, plan.zeros, plan.threads);
            let what = || format!("{edit:?} at {place} of {file}: {found:?}");
            // The file is not JSON Lines, so it must be one JSON value.
            let Ok(text) = canonical(&bytes) else {
                prop_assert!(found.is_err(), "{}", what());
                continue;
            };
            let changed = parse(&text);
            let Some(Json::List(blocks)) = changed.get("chain") else {
                prop_assert!(found.is_err(), "{}", what());
                continue;
            };
            let report = found.as_ref().map_err(|_| TestCaseError::fail(what()))?;
            let second = independent_summary(blocks, changed.get("length"), None, plan.zeros);
            prop_assert_eq!(summary(report), second, "{}", what());
            if text == canonical(file.as_bytes()).unwrap() {
                prop_assert!(report.is_valid(), "{}", what());
            } else if meaning(&blocks[..blocks.len().min(chain.len() - 1)])
                != meaning(&chain[..chain.len() - 1])
            {
                prop_assert!(!report.is_valid(), "{}", what());
            }
        }
    }
}

fn meaning(chain: &[Json]) -> Vec<String> {
    chain.iter().map(Json::canonical).collect()
}

/// A change of one byte.
#[derive(Clone, Copy, Debug)]
enum Edit {
    Remove,
    Insert(u8),
    Replace(u8),
}

fn edit() -> impl Strategy<Value = Edit> {
    let byte = || {
        let likely = prop::sample::select(b"\"0123456789,:{}[]\\ -.eEnu\n".to_vec());
        prop_oneof![3 => likely, 1 => any::<u8>()]
    };
    prop_oneof![
        1 => Just(Edit::Remove),
        2 => byte().prop_map(Edit::Insert),
        3 => byte().prop_map(Edit::Replace),
    ]
}
