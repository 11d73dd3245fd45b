//! `GET /metrics`.

use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::node::state::Node;

pub(in crate::node::http) async fn handle(State(node): State<Node>) -> Response {
    let mut text = String::new();
    encode(&mut text, &registry(&node)).expect("a String takes any text");
    let content_type =
        HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}

/// The counters of the node, and its state at this moment.
fn registry(node: &Node) -> Registry {
    let shared = &node.shared;
    let writer = shared.writer.gauges();
    let mut registry = Registry::with_prefix("fourzero");
    shared.metrics.register(&mut registry);
    let mut gauge = |name, help, value: u64| registry.register(name, help, ConstGauge::new(value));
    gauge("chain_length", "Blocks in the chain", node.blocks());
    gauge(
        "pending_transactions",
        "Transactions that wait for a block",
        node.pending(),
    );
    gauge(
        "peers",
        "Registered nodes",
        shared.writer.peers().len() as u64,
    );
    gauge(
        "mining",
        "1 while a search runs, else 0",
        shared.miner.is_mining().into(),
    );
    let mut gauge = |name, help, value: f64| registry.register(name, help, ConstGauge::new(value));
    gauge(
        "hashes_per_second",
        "Nonces tried per second by the current search, or by the last one",
        shared.miner.hashrate(),
    );
    gauge(
        "uptime_seconds",
        "Time since the node started",
        shared.started.elapsed().as_secs_f64(),
    );
    // The library adds `_total` to the names of counters.
    let mut counter = |name, help, value| registry.register(name, help, ConstCounter::new(value));
    counter("hashes", "Nonces tried by searches", shared.miner.hashes());
    counter(
        "blocks_forged",
        "Blocks that this process added to the chain",
        writer.blocks_forged.load(Ordering::Relaxed),
    );
    counter(
        "commits",
        "Commits to the database",
        writer.commits.load(Ordering::Relaxed),
    );
    counter(
        "log_lines_dropped",
        "Lines of the log that were dropped because nobody read it",
        (shared.config.dropped_log_lines)() as u64,
    );
    registry
}
