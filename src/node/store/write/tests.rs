//! The store without a node around it.

use super::*;
use crate::pow::Target;

/// The names under which entries stand in blocks and among the pending.
fn senders(store: &Store, table: &str) -> Vec<(i64, String)> {
    let (column, order) = match table {
        "pending" => ("0", "id"),
        _ => ("block", "block, place"),
    };
    let mut query = store
        .connection
        .prepare(&format!(
            "SELECT {column}, substr(sender, 1, 2) FROM {table} ORDER BY {order}"
        ))
        .unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn what_does_not_fit_into_a_block_goes_into_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let config = NodeConfig {
        target: Target::from_hex_zeros(1).unwrap(),
        node_id: Some("me".to_owned()),
        ..NodeConfig::new(folder.path())
    };
    let mut store = Store::open(&config).unwrap();
    // As a replaced chain may leave it: 50 MiB in five transactions.
    for id in 1..=5 {
        let text = format!(
            r#"{{"amount": 1, "recipient": "r", "sender": "s{id}{}"}}"#,
            "x".repeat(10 << 20)
        );
        let entry = TransactionRow::of(View::of(text.as_bytes())).unwrap();
        insert_entry(&store.connection, id, &entry).unwrap();
    }
    assert!(store.reload().unwrap());
    assert_eq!(store.pending(), 5);
    let mut one = Transactions::new();
    one.push_reward("another");
    assert!(!store.has_room_for(&NewTransaction::new(one.clone())));

    let named = |block: i64, names: &[&str]| -> Vec<_> {
        names
            .iter()
            .map(|name| (block, (*name).to_owned()))
            .collect()
    };
    store.forge(Nonce(1)).unwrap();
    let first = named(2, &["s1", "s2", "0"]);
    assert_eq!(senders(&store, "transactions"), first);
    assert_eq!(senders(&store, "pending"), named(0, &["s3", "s4", "s5"]));
    assert_eq!(store.pending(), 3);
    let before = store.state.clone();
    assert!(store.reload().unwrap());
    assert_eq!(store.state.last_entry, before.last_entry);
    assert_eq!(store.state.next, before.next);

    store.forge(Nonce(2)).unwrap();
    assert!(store.has_room_for(&NewTransaction::new(one)));
    store.forge(Nonce(3)).unwrap();
    assert_eq!(
        senders(&store, "transactions"),
        [first, named(3, &["s3", "s4", "0"]), named(4, &["s5", "0"])].concat()
    );
    assert_eq!(store.pending(), 0);
    assert_eq!(store.tip().index, 4);
}
