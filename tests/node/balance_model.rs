//! Protects the balances that overdrafts are judged by: a node takes and refuses
//! what a simple model does.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::fixture::Fixture;
use crate::peers::{fake_peer, http};
use crate::strict::{NEW, careful, mined, transfer};

/// Balances from scratch, in units of 10^-7.
#[derive(Default)]
struct Model(HashMap<String, i128>);

impl Model {
    /// Whether the sender has the amount, which is then moved.
    fn send(&mut self, sender: &str, recipient: &str, amount: i128) -> bool {
        let balance = self.0.entry(sender.to_owned()).or_default();
        if *balance < amount {
            return false;
        }
        *balance -= amount;
        *self.0.entry(recipient.to_owned()).or_default() += amount;
        true
    }

    /// Adds a block's reward, which nobody needs to have.
    fn reward(&mut self, recipient: &str) {
        *self.0.entry("0".to_owned()).or_default() -= 10_000_000;
        *self.0.entry(recipient.to_owned()).or_default() += 10_000_000;
    }
}

/// A generator of the same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % limit
    }
}

#[tokio::test]
async fn a_node_refuses_just_what_a_simple_model_refuses() {
    const NAMES: [&str; 5] = ["miner", "ann", "b\u{e9}a", " carl", "0"];
    const AMOUNTS: [(&str, i128); 7] = [
        ("1", 10_000_000),
        ("0.1", 1_000_000),
        ("0.3", 3_000_000),
        ("1e-07", 1),
        ("2.0", 20_000_000),
        ("0.9999999", 9_999_999),
        ("3", 30_000_000),
    ];
    for seed in 0..6 {
        let mut numbers = Numbers(seed);
        let fixture = Fixture::with(careful);
        let mut model = Model::default();
        let mut taken = [0; 2];
        for step in 0..150 {
            if numbers.below(8) == 0 || step == 0 {
                fixture.get("/mine").await.ok(200);
                model.reward("miner");
                continue;
            }
            let [sender, recipient] = [0; 2].map(|_| NAMES[numbers.below(NAMES.len())]);
            let (amount, units) = AMOUNTS[numbers.below(AMOUNTS.len())];
            let is_taken = model.send(sender, recipient, units);
            taken[usize::from(is_taken)] += 1;
            let reply = fixture.post(NEW, transfer(sender, recipient, amount)).await;
            let expected = if is_taken { 201 } else { 409 };
            assert_eq!(
                reply.status, expected,
                "seed {seed}, step {step}: {}",
                reply.body
            );
        }
        assert!(taken.iter().all(|count| *count > 20), "{taken:?}");
        fixture.get("/mine").await.ok(200);
        let chain = fixture.get("/chain").await.body;
        assert!(
            !overdraws(&serde_json::from_str(&chain).unwrap()),
            "seed {seed}"
        );

        // A node that takes anything may make chains that this one refuses.
        let mut chain: Value = serde_json::from_str(&chain).unwrap();
        let blocks = chain["chain"].as_array_mut().unwrap();
        let block = 1 + numbers.below(blocks.len() - 1);
        let transactions = blocks[block]["transactions"].as_array_mut().unwrap();
        transactions.insert(
            0,
            json!({"sender": "miner", "recipient": "x", "amount": 0.7}),
        );
        let is_refused = is_refused_as_a_peer(&chain["chain"]).await;
        assert_eq!(is_refused, overdraws(&chain), "seed {seed}, block {block}");
    }
}

/// Whether a sender in a chain lacks an amount, by the model. A block's last
/// transaction is the reward.
fn overdraws(chain: &Value) -> bool {
    let mut model = Model::default();
    for block in chain["chain"].as_array().unwrap() {
        let transactions = block["transactions"].as_array().unwrap();
        for (place, transaction) in transactions.iter().enumerate() {
            let [sender, recipient] =
                ["sender", "recipient"].map(|key| transaction[key].as_str().unwrap());
            let amount = (transaction["amount"].as_f64().unwrap() * 1e7).round() as i128;
            if place + 1 == transactions.len() && sender == "0" && amount == 10_000_000 {
                model.reward(recipient);
            } else if !model.send(sender, recipient, amount) {
                return true;
            }
        }
    }
    false
}

/// Whether a node that refuses overdrafts refuses a peer's chain with the
/// transactions of these blocks. Their hashes and proofs are computed again.
async fn is_refused_as_a_peer(blocks: &Value) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let lines: String = blocks.as_array().unwrap()[1..]
        .iter()
        .map(|block| {
            let transactions = block["transactions"].as_array().unwrap();
            let (_, others) = transactions.split_last().unwrap();
            format!("{}\n", json!(others))
        })
        .collect();
    let chain = mined(folder.path(), &lines);
    let peer = fake_peer(http(&chain));
    let fixture = Fixture::with(careful);
    let nodes = json!({ "nodes": [peer] }).to_string();
    fixture.post("/nodes/register", nodes).await.ok(201);
    let answer = fixture.get("/nodes/resolve").await.ok(200);
    answer["message"] == "Our chain is authoritative"
}
