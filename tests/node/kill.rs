//! SIGKILL at random moments under load: everything acknowledged survives.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::balances::assert_balances_are_of_the_chain;
use crate::support::{Server, assert_verifies, node_command, post, request};

const ROUNDS: u64 = 20;
const CLIENTS: u64 = 4;

/// A different number for each round, the same in every run.
fn mixed(seed: u64) -> u64 {
    let mut value = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[derive(Default)]
struct Promises {
    /// Senders of transactions that were answered with 201.
    transactions: Vec<String>,
    /// Blocks that were answered with 200.
    blocks: Vec<Value>,
}

impl Promises {
    fn count(&self) -> (usize, usize) {
        (self.transactions.len(), self.blocks.len())
    }
}

/// Adds transactions and mines until the node is killed.
fn load(server: &mut Server, promises: &Arc<Mutex<Promises>>, count: &Arc<AtomicU64>, round: u64) {
    let is_over = Arc::new(AtomicBool::new(false));
    let address = server.address.clone();
    let mut threads: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (promises, count, is_over, address) = (
                Arc::clone(promises),
                Arc::clone(count),
                Arc::clone(&is_over),
                address.clone(),
            );
            thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let sender = format!("s{}", count.fetch_add(1, Ordering::Relaxed));
                    let body =
                        format!(r#"{{"sender": "{sender}", "recipient": "r", "amount": 0.5}}"#);
                    match post(&address, "/transactions/new", &body) {
                        Ok(answer) => {
                            assert_eq!(answer.status, 201, "{answer:?}");
                            promises.lock().unwrap().transactions.push(sender);
                        }
                        Err(_) => return,
                    }
                }
            })
        })
        .collect();
    threads.push({
        let (promises, is_over) = (Arc::clone(promises), Arc::clone(&is_over));
        thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                match request(&address, "GET", "/mine", &[], "") {
                    Ok(answer) => promises.lock().unwrap().blocks.push(answer.ok(200)),
                    Err(_) => return,
                }
            }
        })
    });
    // Not before this round has acknowledged something.
    let known = promises.lock().unwrap().count();
    server.wait_until("/health", |_| {
        let (transactions, blocks) = promises.lock().unwrap().count();
        transactions > known.0 && blocks > known.1
    });
    thread::sleep(Duration::from_millis(mixed(round) % 300));
    server.kill();
    is_over.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().unwrap();
    }
}

/// How often each sender appears in blocks and pending transactions.
fn senders(chain: &Value, pending: &Value) -> BTreeMap<String, u64> {
    let mined = chain["chain"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|block| block["transactions"].as_array().unwrap());
    let mut senders = BTreeMap::new();
    for transaction in mined.chain(pending["transactions"].as_array().unwrap()) {
        let sender = transaction["sender"].as_str().unwrap();
        *senders.entry(sender.to_owned()).or_default() += 1;
    }
    senders
}

fn start(data: &Path) -> Server {
    Server::node(node_command(data).args(["--difficulty", "3", "--rule", "last-hash"]))
}

#[test]
fn acknowledged_changes_survive_sigkill_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let promises = Arc::new(Mutex::new(Promises::default()));
    let count = Arc::default();
    for round in 0..ROUNDS {
        let mut server = start(folder.path());
        load(&mut server, &promises, &count, round);

        let server = start(folder.path());
        let chain = server.get("/chain");
        assert_verifies(&chain.body, "last-hash", "3");
        assert_balances_are_of_the_chain(&server);
        let chain = chain.ok(200);
        let senders = senders(&chain, &server.get("/transactions/pending").ok(200));
        let promises = promises.lock().unwrap();
        for sender in &promises.transactions {
            assert_eq!(senders.get(sender), Some(&1), "{sender}, round {round}");
        }
        for (sender, times) in &senders {
            assert!(sender == "0" || *times == 1, "{sender}: {times}");
        }
        for block in &promises.blocks {
            let index = block["index"].as_u64().unwrap() as usize;
            let kept = &chain["chain"][index - 1];
            for key in ["index", "transactions", "proof", "previous_hash"] {
                assert_eq!(kept[key], block[key], "{key} of block {index}");
            }
        }
    }
}
