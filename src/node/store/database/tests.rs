//! Blocks without a node around them.

use super::*;
use crate::node::database_problem::DatabaseProblem;
use crate::pow::Target;

/// The first letters of the senders in blocks, or of pending transactions.
fn senders(database: &Database, table: &str) -> Vec<(i64, String)> {
    let (column, order) = match table {
        "pending" => ("0", "id"),
        _ => ("block", "block, place"),
    };
    let mut query = database
        .connection
        .prepare(&format!(
            "SELECT {column}, substr(sender, 1, 2) FROM {table} ORDER BY {order}"
        ))
        .unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn transactions_that_do_not_fit_into_a_block_go_into_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let config = NodeConfig {
        target: Target::from_hex_zeros(1).unwrap(),
        node_id: Some("me".to_owned()),
        ..NodeConfig::new(folder.path())
    };
    let mut database = Database::open(&config).unwrap();
    // A replaced chain can leave this pending: 50 MiB in five transactions.
    for id in 1..=5 {
        let text = format!(
            r#"{{"amount": 1, "recipient": "r", "sender": "s{id}{}"}}"#,
            "x".repeat(10 << 20)
        );
        let entry = TransactionRow::of(View::of(text.as_bytes())).unwrap();
        insert_entry(&database.connection, id, &entry).unwrap();
    }
    assert!(database.reload().unwrap());
    assert_eq!(database.pending(), 5);
    let mut one = Transactions::new();
    one.push_reward("another");
    assert!(!database.has_room_for(&NewTransaction::new(one.clone())));

    let named = |block: i64, names: &[&str]| -> Vec<_> {
        names
            .iter()
            .map(|name| (block, (*name).to_owned()))
            .collect()
    };
    database.forge(Nonce(1)).unwrap();
    let first = named(2, &["s1", "s2", "0"]);
    assert_eq!(senders(&database, "transactions"), first);
    assert_eq!(senders(&database, "pending"), named(0, &["s3", "s4", "s5"]));
    assert_eq!(database.pending(), 3);
    let before = database.end.clone();
    assert!(database.reload().unwrap());
    assert_eq!(database.end.last_entry, before.last_entry);
    assert_eq!(database.end.next, before.next);

    database.forge(Nonce(2)).unwrap();
    assert!(database.has_room_for(&NewTransaction::new(one)));
    database.forge(Nonce(3)).unwrap();
    assert_eq!(
        senders(&database, "transactions"),
        [first, named(3, &["s3", "s4", "0"]), named(4, &["s5", "0"])].concat()
    );
    assert_eq!(database.pending(), 0);
    assert_eq!(database.tip().index, 4);
}

#[test]
fn a_commit_to_a_file_that_is_gone_fails() {
    for gone in ["node.sqlite3", "node.sqlite3-wal"] {
        let folder = tempfile::tempdir().unwrap();
        let mut database = Database::open(&NodeConfig::new(folder.path())).unwrap();
        database.begin().unwrap();
        database.forge(Nonce(1)).unwrap();
        std::fs::rename(folder.path().join(gone), folder.path().join("moved")).unwrap();
        let is_lost = |result: rusqlite::Result<()>| {
            result.map_err(DatabaseProblem::from) == Err(DatabaseProblem::Lost)
        };
        assert!(is_lost(database.commit()), "{gone}");
        // Nothing makes up for it.
        std::fs::rename(folder.path().join("moved"), folder.path().join(gone)).unwrap();
        assert!(is_lost(database.roll_back()), "{gone}");
        assert!(is_lost(database.begin()), "{gone}");
        assert!(!database.is_known(), "{gone}");
    }
}
