//! The well-known first proofs of the tutorial's chain.

use std::fs;

use fourzero::sha256::Kernel;

use crate::naive_chain::{self, two_hundred_proofs};
use crate::support::{Ends as _, Folder, fourzero};

/// The first answers from 100 under last-proof at four zeros.
const FIRST: [u64; 30] = [
    35293, 35089, 119_678, 146_502, 43538, 85724, 51178, 71730, 55589, 35704, 57342, 68975,
    153_122, 20760, 29341, 15889, 209_765, 3748, 28807, 70832, 47031, 48098, 30743, 41003, 89991,
    41327, 52656, 5355, 143_988, 37499,
];

/// Proofs before the cycle starts, the first block's 100 among them, and the
/// cycle's length.
const LEAD: usize = 47;
const CYCLE: usize = 61;
/// Searches from each of these proofs.
const SEARCHES: usize = LEAD + CYCLE;
/// Nonces that these searches try, each from 0 to its answer.
const HASHES: u64 = 6_754_864;
const LARGEST: u64 = 373_081;

/// A queue of one transaction a block.
fn queue(folder: &Folder, blocks: usize) -> std::path::PathBuf {
    folder.write("queue.jsonl", crate::support::queue(blocks))
}

fn proofs(chain: &str) -> Vec<u64> {
    let chain: serde_json::Value = serde_json::from_str(chain).unwrap();
    let blocks = chain["chain"].as_array().unwrap();
    blocks
        .iter()
        .map(|block| block["proof"].as_u64().unwrap())
        .collect()
}

#[test]
fn the_naive_search_finds_the_known_proofs() {
    assert_eq!(two_hundred_proofs()[..FIRST.len()], FIRST);
}

#[test]
fn two_hundred_proofs_are_the_known_ones_and_run_into_their_cycle() {
    let folder = Folder::new();
    let output = folder.path("chain.json");
    fourzero()
        .args(["mine", "--block-size", "1", "-o"])
        .arg(&output)
        .arg(queue(&folder, 200))
        .ends_with(0);
    let proofs = proofs(&folder.read("chain.json"));
    assert_eq!(proofs[0], 100);
    assert_eq!(proofs[1..], *two_hundred_proofs());

    let repeats: Vec<_> = (0..proofs.len() - CYCLE)
        .filter(|place| proofs[*place] == proofs[place + CYCLE])
        .collect();
    assert_eq!(repeats, Vec::from_iter(LEAD..proofs.len() - CYCLE));
    let mut distinct = proofs.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), SEARCHES);
    assert_eq!(distinct.last(), Some(&LARGEST));
}

#[test]
fn a_chain_of_any_length_takes_the_hashes_of_its_distinct_searches() {
    let folder = Folder::new();
    let output = folder.path("chain.json");
    let summary = fourzero()
        .args(["mine", "--block-size", "1", "--json"])
        .args(["--threads", "1", "--kernel", "sha2", "-o"])
        .arg(&output)
        .arg(queue(&folder, 3000))
        .ends_with(0)
        .one_json();
    assert_eq!(summary["hashes"], HASHES);
    assert_eq!(summary["blocks"], 3001);
}

#[test]
fn without_the_proof_cache_every_proof_is_searched() {
    let folder = Folder::new();
    let output = folder.path("chain.json");
    // A search from 0 ends at its proof: one hash more than its number.
    let paid = |proofs: &[u64]| proofs.iter().map(|proof| proof + 1).sum::<u64>();
    let summary = fourzero()
        .args(["mine", "--block-size", "1", "--json", "--no-proof-cache"])
        .args(["--threads", "1", "--kernel", "sha2", "-o"])
        .arg(&output)
        .arg(queue(&folder, SEARCHES + 10))
        .ends_with(0)
        .one_json();
    let found = two_hundred_proofs();
    assert_eq!(summary["hashes"], paid(&found[..SEARCHES + 10]));
    assert_eq!(paid(&found[..SEARCHES]), HASHES);
}

#[test]
fn any_number_of_threads_gives_the_same_file() {
    let folder = Folder::new();
    let queue = queue(&folder, 40);
    let mut files = Vec::new();
    for (threads, cache) in [
        ("1", false),
        ("2", false),
        ("3", false),
        ("7", false),
        ("1", true),
        ("7", true),
    ] {
        let output = folder.path(&format!("{threads}-{cache}.json"));
        let mut command = fourzero();
        command
            .args(["mine", "--block-size", "1", "--recipient", "me"])
            .args(["--timestamp", "1700000000", "--threads", threads]);
        if !cache {
            command.arg("--no-proof-cache");
        }
        command.arg("-o").arg(&output).arg(&queue).ends_with(0);
        files.push((threads, cache, fs::read(output).unwrap()));
    }
    for (threads, cache, file) in &files {
        assert!(*file == files[0].2, "{threads} threads, cache {cache}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_file_under_the_other_rules() {
    let folder = Folder::new();
    let queue = queue(&folder, 30);
    for rule in ["previous-hash", "last-hash"] {
        let files = ["1", "2", "3", "7"].map(|threads| {
            let output = folder.path("chain.json");
            fourzero()
                .args(["mine", "--block-size", "1", "--recipient", "me", "--force"])
                .args(["--rule", rule, "--difficulty", "3"])
                .args(["--timestamp", "1700000000", "--threads", threads, "-o"])
                .arg(&output)
                .arg(&queue)
                .ends_with(0);
            fs::read(output).unwrap()
        });
        assert!(files.iter().all(|file| *file == files[0]), "{rule}");
    }
}

#[test]
fn every_variant_and_the_choice_give_the_same_file() {
    let folder = Folder::new();
    let queue = queue(&folder, 12);
    for rule in crate::naive::RULES {
        let variants = Kernel::available().into_iter().flat_map(Kernel::variants);
        let files: Vec<_> = variants
            .map(|variant| vec!["--kernel", variant.name()])
            .chain([vec![]])
            .map(|kernel| {
                let output = folder.path("chain.json");
                fourzero()
                    .args(["mine", "--block-size", "1", "--recipient", "me", "--force"])
                    .args(["--rule", rule, "--difficulty", "3", "--timestamp", "0"])
                    .args(kernel)
                    .arg("-o")
                    .arg(&output)
                    .arg(&queue)
                    .ends_with(0);
                fs::read_to_string(output).unwrap()
            })
            .collect();
        assert!(files.iter().all(|file| *file == files[0]), "{rule}");
        let chain = crate::naive::parse(&files[0]);
        let verdict = naive_chain::verify(chain.get("chain").unwrap().list(), Some(rule), 3);
        assert_eq!(verdict.fault, None, "{rule}");
    }
}
