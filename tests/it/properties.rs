//! Random queues: what is mined is valid, exactly as specified, and no change
//! of it goes unnoticed.

use std::num::NonZeroUsize;

use fourzero::batch::{Clock, MineOptions, NamedQueue, ProofMemory, mine};
use fourzero::chain::{Format, Report, Strictness, Verifier, VerifyOptions};
use fourzero::pow::{Control, Rule, Searcher, Target};
use fourzero::sha256::Kernel;
use proptest::prelude::*;

use crate::naive::{Json, RULES, number, parse, text, transaction};
use crate::naive_chain;

/// Names with all that JSON or Unicode make awkward.
fn name() -> impl Strategy<Value = String> {
    let awkward = prop::sample::select(vec![
        '"',
        '\\',
        '/',
        '\u{0}',
        '\u{8}',
        '\t',
        '\n',
        '\u{c}',
        '\r',
        '\u{1f}',
        '\u{7f}',
        '\u{80}',
        'é',
        '\u{2028}',
        '\u{feff}',
        '\u{ffff}',
        '\u{10000}',
        '😀',
        '\u{10ffff}',
        '}',
        ']',
        ',',
    ]);
    let character = prop_oneof![awkward, any::<char>(), prop::char::range(' ', '~')];
    prop::collection::vec(character, 0..8).prop_map(String::from_iter)
}

fn amount() -> impl Strategy<Value = Json> {
    prop_oneof![
        any::<i64>().prop_map(number),
        any::<u128>().prop_map(number),
        prop::num::f64::NORMAL.prop_map(|value| number(format!("{value:e}"))),
        prop::num::f64::SUBNORMAL.prop_map(|value| number(format!("{value:e}"))),
        (-1_000_000i32..1_000_000)
            .prop_map(|cents| number(format!("{:.2}", f64::from(cents) / 100.0))),
        (-20i32..30).prop_map(|exponent| number(format!("1e{exponent}"))),
        prop::sample::select(vec!["-0", "-0.0", "0.0", "1E5", "1e+5", "5e-324"]).prop_map(number),
        name().prop_map(text),
        Just(Json::Word("null")),
        Just(parse(r#"[[], {}, {"b": [1.0, true], "a": {"é": null}}]"#)),
    ]
}

#[derive(Clone, Debug)]
struct Plan {
    transactions: Vec<Json>,
    rule: &'static str,
    zeros: u16,
    block_size: usize,
    threads: usize,
    proof_memory: ProofMemory,
    format: Format,
    recipient: String,
    timestamp: f64,
}

prop_compose! {
    fn plan()(
        transactions in prop::collection::vec(
            (name(), name(), amount()).prop_map(|(sender, recipient, amount)| {
                transaction(text(sender), text(recipient), amount)
            }),
            1..20,
        ),
        rule in prop::sample::select(RULES.to_vec()),
        zeros in 1u16..=2,
        block_size in 1usize..6,
        threads in 1usize..5,
        proof_memory in prop::sample::select(vec![ProofMemory::On, ProofMemory::Off]),
        format in prop::sample::select(Format::ALL.to_vec()),
        recipient in name(),
        timestamp in -1e10..1e10,
    ) -> Plan {
        Plan {
            transactions,
            rule,
            zeros,
            block_size,
            threads,
            proof_memory,
            format,
            recipient,
            timestamp,
        }
    }
}

fn threads(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

/// What the library makes of the plan.
fn mined(plan: &Plan) -> String {
    let queue: String = plan
        .transactions
        .iter()
        .map(|transaction| transaction.odd("") + "\n")
        .collect();
    let options = MineOptions {
        rule: plan.rule.parse().unwrap(),
        target: Target::from_hex_zeros(plan.zeros).unwrap(),
        block_size: threads(plan.block_size),
        recipient: plan.recipient.clone(),
        clock: Clock::From(plan.timestamp),
        strictness: Strictness::Presence,
        proof_memory: plan.proof_memory,
    };
    let (text, summary) = mine(
        vec![NamedQueue::new("queue", std::io::Cursor::new(queue))],
        Vec::new(),
        plan.format,
        &options,
        &Searcher::new(threads(plan.threads), Kernel::best()).unwrap(),
        &Control::new(),
    )
    .unwrap();
    assert_eq!(summary.transactions, plan.transactions.len() as u64);
    String::from_utf8(text).unwrap()
}

/// What the second opinion makes of it.
fn expected(plan: &Plan) -> Vec<Json> {
    let blocks: Vec<_> = plan
        .transactions
        .chunks(plan.block_size)
        .map(<[Json]>::to_vec)
        .collect();
    naive_chain::mine(
        &blocks,
        plan.rule,
        plan.zeros.into(),
        &plan.recipient,
        plan.timestamp,
    )
}

fn verify(plan: &Plan, rule: Option<Rule>, file: &str) -> Report {
    let options = VerifyOptions {
        rule,
        target: Target::from_hex_zeros(plan.zeros).unwrap(),
        ..VerifyOptions::default()
    };
    Verifier::new(threads(plan.threads))
        .unwrap()
        .verify(file.as_bytes(), &options, &Control::new())
        .unwrap()
}

/// A change to one field of a block, which really changes it.
fn change(block: &mut Json, field: usize, by: u64, replacement: &Json) {
    let old = block.clone();
    match field {
        0 => block.set("index", number(by)),
        1 => block.set("proof", number(by)),
        2 => block.set("previous_hash", text(by.to_string())),
        3 => block.set("timestamp", number(format!("{by}.5"))),
        4 => block.set("transactions", Json::List(vec![replacement.clone()])),
        5 => block.set("more", replacement.clone()),
        _ => {
            let keys = [
                "index",
                "proof",
                "previous_hash",
                "timestamp",
                "transactions",
            ];
            block.remove(keys[by as usize % keys.len()]);
        }
    }
    if block.canonical() == old.canonical() {
        block.set("more", Json::Word("true"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_random_queue_is_mined_to_exactly_the_specified_bytes_and_verifies(plan in plan()) {
        let chain = expected(&plan);
        let file = match plan.format {
            Format::Json => naive_chain::json_file(&chain),
            Format::JsonLines => naive_chain::jsonl_file(&chain),
            Format::Array => Json::List(chain.clone()).canonical(),
        };
        let found = mined(&plan);
        prop_assert_eq!(&found, &file);
        let rule = plan.rule.parse().unwrap();
        let report = verify(&plan, Some(rule), &found);
        prop_assert!(report.is_valid(), "{:?}", report);
        prop_assert!(verify(&plan, None, &found).is_valid());
    }

    #[test]
    fn no_change_of_a_field_goes_unnoticed(
        plan in plan(),
        place in any::<prop::sample::Index>(),
        field in 0usize..7,
        by in 0u64..1000,
        replacement in amount(),
    ) {
        let mut chain = expected(&plan);
        let place = place.index(chain.len());
        let is_last = place == chain.len() - 1;
        change(&mut chain[place], field, by, &replacement);
        let file = Json::List(chain.clone()).odd("\n");
        for rule in [None, Some(plan.rule)] {
            let second = naive_chain::verify(&chain, rule, plan.zeros.into());
            let report = verify(&plan, rule.map(|rule| rule.parse().unwrap()), &file);
            let found = report.fault.as_ref().map(|fault| (fault.block, fault.kind.name()));
            prop_assert_eq!(found, second.fault);
            prop_assert_eq!(report.rule.map(Rule::name), second.rule);
            prop_assert_eq!(report.transactions, second.transactions);
            // Nobody quotes the last block, and at one or two zeros another
            // proof may be as good; everywhere else nothing can hide.
            if !is_last {
                let block = report.fault.map(|fault| fault.block as usize);
                prop_assert!(
                    block == Some(place + 1) || block == Some(place + 2),
                    "block {} was changed, {:?} was named", place + 1, block
                );
            }
        }
    }
}
