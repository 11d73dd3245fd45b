//! Random queues and mining options.

use std::num::NonZeroUsize;

use fourzero::batch::{Clock, DecimalSeparator, MineOptions, NamedQueue, ProofMemory, mine};
use fourzero::chain::{Format, Report, Strictness, Verifier, VerifyOptions};
use fourzero::pow::{Control, Searcher, Target};
use fourzero::sha256::KernelChoice;
use proptest::prelude::*;

use crate::naive::{Json, RULES, number, parse, text, transaction};
use crate::naive_chain;

/// Names that are awkward in JSON or Unicode.
pub(super) fn name() -> impl Strategy<Value = String> {
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

pub(super) fn amount() -> impl Strategy<Value = Json> {
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
pub(super) struct Plan {
    pub(super) transactions: Vec<Json>,
    pub(super) rule: &'static str,
    pub(super) zeros: u16,
    block_size: usize,
    pub(super) threads: usize,
    proof_memory: ProofMemory,
    pub(super) format: Format,
    recipient: String,
    timestamp: f64,
}

/// One to four hex zeros. For four, the independent miner computes 65,536 hashes
/// per block.
fn zeros() -> impl Strategy<Value = u16> {
    prop_oneof![16 => Just(1), 12 => Just(2), 3 => Just(3), 1 => Just(4)]
}

prop_compose! {
    pub(super) fn plan()(
        transactions in prop::collection::vec(
            (name(), name(), amount()).prop_map(|(sender, recipient, amount)| {
                transaction(text(sender), text(recipient), amount)
            }),
            1..20,
        ),
        rule in prop::sample::select(RULES.to_vec()),
        zeros in zeros(),
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

pub(super) fn threads(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

/// The chain that the library mines.
pub(super) fn mined(plan: &Plan) -> String {
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
        decimal: DecimalSeparator::Point,
        proof_memory: plan.proof_memory,
    };
    let (text, summary) = mine(
        vec![NamedQueue::new("queue", std::io::Cursor::new(queue))],
        Vec::new(),
        plan.format,
        &options,
        &Searcher::new(threads(plan.threads), KernelChoice::Measured).unwrap(),
        &Control::new(),
    )
    .unwrap();
    assert_eq!(summary.transactions, plan.transactions.len() as u64);
    String::from_utf8(text).unwrap()
}

/// The chain that the independent miner mines.
pub(super) fn expected(plan: &Plan) -> Vec<Json> {
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

/// The report on a file, or the error. `rule` is the rule's name.
pub(super) fn verdict(
    file: &[u8],
    rule: Option<&str>,
    zeros: u16,
    count: usize,
) -> Result<Report, String> {
    let options = VerifyOptions {
        rule: rule.map(|rule| rule.parse().unwrap()),
        target: Target::from_hex_zeros(zeros).unwrap(),
        ..VerifyOptions::default()
    };
    Verifier::new(threads(count))
        .unwrap()
        .verify(file, &options, &Control::new())
        .map_err(|error| error.to_string())
}
