//! Chains of many batches: the verdict is that of the independent verifier, for
//! any number of threads and any batch borders.

use std::sync::OnceLock;

use fourzero::chain::{Report, VerifyOptions};
use fourzero::pow::{Control, Rule, Target};

use crate::naive::{self, Json, LAST_HASH, LAST_PROOF, RULES, number, parse, text, transaction};
use crate::naive_chain::{self, Verdict};
use crate::support::{Ends as _, Folder, fourzero};
use crate::verify_setups::{Setup, setups};

/// The size of a batch. The first block is a batch by itself; each other batch
/// has the blocks whose first eight bytes are within this size. The tests use
/// this only to choose blocks.
const BATCH_BYTES: usize = 256 << 10;

const BLOCKS: usize = 3000;

/// A chain of several batches, mined slowly with one zero.
fn long_chain(rule: &'static str) -> &'static [Json] {
    static CHAINS: [OnceLock<Vec<Json>>; 2] = [OnceLock::new(), OnceLock::new()];
    CHAINS[usize::from(rule == LAST_HASH)].get_or_init(|| {
        let queue: Vec<_> = (1..BLOCKS)
            .map(|amount| vec![transaction(text("é\n"), text("bob"), number(amount))])
            .collect();
        naive_chain::mine(&queue, rule, 1, "me", 1_700_000_000.25)
    })
}

/// The blocks at which batches of the JSON Lines file start, from 0.
fn batch_heads(chain: &[Json]) -> Vec<usize> {
    let mut heads = vec![0, 1];
    let (mut head_start, mut start) = (0, 0);
    for (place, block) in chain.iter().enumerate() {
        if place == 1 {
            head_start = start;
        }
        let length = block.canonical().len() + 1;
        if place > 0 && start + length + 8 > head_start + BATCH_BYTES {
            heads.push(place);
            head_start = start;
        }
        start += length;
    }
    heads
}

fn verdict(setup: &Setup, chain: &[Json], rule: Option<&'static str>) -> (Verdict, Report) {
    let options = VerifyOptions {
        rule: rule.map(|name| name.parse().unwrap()),
        target: Target::from_hex_zeros(1).unwrap(),
        ..VerifyOptions::default()
    };
    let file = naive_chain::jsonl_file(chain);
    let report = setup
        .verify(file.as_bytes(), &options, &Control::new())
        .unwrap();
    assert_eq!(report.blocks, chain.len() as u64);
    let fault = report.fault.as_ref();
    let verdict = Verdict {
        rule: report.rule.map(Rule::name),
        transactions: report.transactions,
        fault: fault.map(|fault| (fault.block, fault.kind.name())),
    };
    (verdict, report)
}

/// Changes of a block, or of the one after it.
type Spoil = fn(&mut Json);

const SPOILS: [Spoil; 8] = [
    |block| *block = parse("[]"),
    |block| block.remove("timestamp"),
    |block| block.set("proof", text("1")),
    |block| block.set("index", number(0)),
    |block| block.set("previous_hash", text("0")),
    |block| block.set("timestamp", number("7.5")),
    |block| block.set("transactions", parse("[{}]")),
    // Satisfies a rule at one zero only by chance.
    |block| block.set("proof", number(123_456_789)),
];

#[track_caller]
fn all_agree(setups: &[Setup], chain: &[Json], rule: Option<&'static str>, what: &str) {
    let expected = naive_chain::verify(chain, rule, 1);
    let reports: Vec<_> = setups
        .iter()
        .map(|setup| {
            let (found, report) = verdict(setup, chain, rule);
            assert_eq!(found, expected, "{what}, rule {rule:?}");
            report
        })
        .collect();
    // This includes the messages with their values.
    assert!(reports.windows(2).all(|pair| pair[0] == pair[1]), "{what}");
}

#[test]
fn a_long_chain_is_valid_with_any_number_of_threads() {
    let setups = setups();
    for rule in [LAST_PROOF, LAST_HASH] {
        let chain = long_chain(rule);
        assert!(batch_heads(chain).len() >= 5, "{:?}", batch_heads(chain));
        for asked in [None, Some(RULES[0]), Some(RULES[1]), Some(RULES[2])] {
            all_agree(&setups, chain, asked, "the chain as it is");
        }
    }
}

#[test]
fn a_fault_at_a_batch_border_is_found_there() {
    let setups = setups();
    let chain = long_chain(LAST_HASH);
    let heads = batch_heads(chain);
    for (step, head) in heads.iter().skip(2).enumerate() {
        for place in [head - 1, *head, head + 1] {
            for offset in 0..4 {
                let number = (2 * offset + step + place) % SPOILS.len();
                let mut spoiled = chain.to_vec();
                SPOILS[number](&mut spoiled[place]);
                let what = format!("spoil {number} of block {}", place + 1);
                all_agree(&setups, &spoiled, None, &what);
            }
        }
    }
}

#[test]
fn the_first_of_two_faults_around_a_batch_border_is_reported() {
    let setups = setups();
    let chain = long_chain(LAST_PROOF);
    let heads = batch_heads(chain);
    for (number, spoil) in SPOILS.iter().enumerate() {
        let head = heads[2 + number % (heads.len() - 2)];
        let mut spoiled = chain.to_vec();
        spoil(&mut spoiled[head - 1]);
        SPOILS[(number + 3) % SPOILS.len()](&mut spoiled[head]);
        SPOILS[(number + 5) % SPOILS.len()](&mut spoiled[BLOCKS - 2]);
        let what = format!("spoil {number} at the edge before block {}", head + 1);
        all_agree(&setups, &spoiled, None, &what);
        all_agree(&setups, &spoiled, Some(LAST_PROOF), &what);
    }
}

#[test]
fn a_chain_that_changes_its_rule_fails_where_it_changes() {
    // A chain that follows one rule up to a border and another after it follows
    // none. The report names the rule that holds the longest.
    let setups = setups();
    let start = long_chain(LAST_HASH);
    let head = batch_heads(start)[2];
    let mut chain = start[..head].to_vec();
    for place in head..head + 700 {
        let last = &chain[place - 1];
        let mut block = start[place].clone();
        let proof = (0..)
            .map(|proof: u64| proof.to_string())
            .find(|proof| naive_chain::proof_digest(LAST_PROOF, last, proof).starts_with('0'))
            .unwrap();
        block.set("proof", number(proof));
        block.set("previous_hash", text(crate::naive::hash(last)));
        chain.push(block);
    }
    for asked in [None, Some(LAST_PROOF), Some(LAST_HASH)] {
        all_agree(&setups, &chain, asked, "two rules");
    }
}

#[test]
fn the_command_names_the_same_fault_with_any_number_of_threads() {
    let folder = Folder::new();
    let mut chain = long_chain(LAST_HASH).to_vec();
    // Only the first block of the next batch shows that this one changed.
    let place = batch_heads(&chain)[3] - 1;
    // Keep the length, so that the batch ends at the same place.
    let timestamp = chain[place].get("timestamp").unwrap().canonical();
    chain[place].set("timestamp", number(timestamp.replacen("17", "18", 1)));
    chain[place + 400].set("index", number(1));
    let path = folder.write("chain.jsonl", naive_chain::jsonl_file(&chain));
    let verdicts = ["1", "2", "3", "7"].map(|threads| {
        fourzero()
            .args([
                "verify",
                "--json",
                "--difficulty",
                "1",
                "--threads",
                threads,
            ])
            .arg(&path)
            .ends_with(1)
            .stdout
    });
    assert!(verdicts.iter().all(|verdict| *verdict == verdicts[0]));
    let verdict: serde_json::Value = serde_json::from_str(&verdicts[0]).unwrap();
    assert_eq!(verdict["fault"]["block"], place + 2);
    assert_eq!(verdict["fault"]["kind"], "previous-hash");
}

#[test]
fn a_block_of_megabytes_between_small_ones_is_checked_like_any_other() {
    let one = r#"{"sender": "a", "recipient": "b", "amount": 1}"#;
    let large = format!("[{}]", vec![one; 40_000].join(", "));
    let queue = format!(
        "{}{large}\n{}",
        format!("{one}\n").repeat(300),
        format!("{one}\n").repeat(300)
    );
    let folder = Folder::new();
    let (queue, chain) = (folder.write("queue", queue), folder.path("chain.json"));
    fourzero()
        .args([
            "mine",
            "--difficulty",
            "1",
            "--block-size",
            "1",
            "--rule",
            "last-hash",
            "-o",
        ])
        .args([&chain, &queue])
        .ends_with(0);
    let text = folder.read("chain.json");
    let verify = |text: &str| {
        fourzero()
            .args(["verify", "--difficulty", "1", "--threads", "2", "--json"])
            .arg(folder.write("changed.json", text))
            .output()
            .map(|output| serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap())
            .unwrap()
    };
    let report = verify(&text);
    assert_eq!(
        (&report["valid"], &report["blocks"]),
        (&true.into(), &602.into())
    );
    assert_eq!(report["transactions"], 2 * 600 + 40_001);
    assert_eq!(report["rewards"], 601);
    // One amount in the large block, which is block 302.
    let start = text.find("\"index\": 302,").unwrap();
    let amount = start + text[start..].find("\"amount\": 1,").unwrap();
    let changed = format!("{}\"amount\": 2,{}", &text[..amount], &text[amount + 12..]);
    let fault = verify(&changed)["fault"].clone();
    assert_eq!(
        (&fault["block"], &fault["kind"]),
        (&303.into(), &"previous-hash".into())
    );
}

#[test]
fn proofs_too_long_to_be_hashed_beside_others_are_checked_like_any_other() {
    let setups = setups();
    for rule in [LAST_PROOF, LAST_HASH] {
        let mut chain = long_chain(rule)[..4].to_vec();
        while chain.len() < 24 {
            let last = chain.last().unwrap();
            // Every third one has some 1,200 digits.
            let digits = "7".repeat(1_200 * usize::from(chain.len().is_multiple_of(3)));
            let proof = (1..)
                .map(|number| format!("{digits}{number}"))
                .find(|proof| naive_chain::proof_digest(rule, last, proof).starts_with('0'))
                .unwrap();
            let mut block = last.clone();
            block.set("index", number(chain.len() + 1));
            block.set("proof", number(proof));
            block.set("previous_hash", text(naive::hash(last)));
            chain.push(block);
        }
        assert_eq!(verdict(&setups[0], &chain, Some(rule)).0.fault, None);
        for asked in [None, Some(rule)] {
            all_agree(&setups, &chain, asked, "long proofs");
            for place in 4..chain.len() {
                for proof in ["1".to_owned(), "2".to_owned(), "7".repeat(1_500)] {
                    let mut spoiled = chain.clone();
                    spoiled[place].set("proof", number(proof));
                    let what = format!("another proof in block {}", place + 1);
                    all_agree(&setups, &spoiled, asked, &what);
                }
            }
        }
    }
}
