//! What is counted, and the text Prometheus reads.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::state::Node;

/// Upper bounds of the latency histogram's buckets, in seconds.
const BUCKETS: [f64; 10] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 10.0,
];

/// Classes of status codes: 2xx, 3xx, 4xx, 5xx.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// More routes than there are.
const MOST_ROUTES: usize = 32;

/// The counters.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    routes: [RouteMetrics; MOST_ROUTES],
    pub(super) chains_replaced: AtomicU64,
    pub(super) peer_failures: AtomicU64,
    pub(super) connections: AtomicU64,
}

#[derive(Debug, Default)]
struct RouteMetrics {
    answers: [AtomicU64; CLASSES.len()],
    /// Of each bucket alone; the text adds them up.
    buckets: [AtomicU64; BUCKETS.len()],
    microseconds: AtomicU64,
}

impl Metrics {
    /// Counts one answer of the route with this number.
    pub(super) fn count(&self, route: usize, status: u16, elapsed: Duration) {
        let Some(metrics) = self.routes.get(route) else {
            return;
        };
        let class = usize::from(status / 100).clamp(2, 5) - 2;
        metrics.answers[class].fetch_add(1, Ordering::Relaxed);
        let seconds = elapsed.as_secs_f64();
        if let Some(bucket) = BUCKETS.iter().position(|bound| seconds <= *bound) {
            metrics.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        }
        metrics
            .microseconds
            .fetch_add(elapsed.as_micros() as u64, Ordering::Relaxed);
    }
}

/// The text of `/metrics`. `routes` names the routes by method and path.
pub(super) fn render(node: &Node, routes: &[(String, &'static str)]) -> String {
    let mut text = String::new();
    let metrics = &node.shared.metrics;
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);

    head(
        &mut text,
        "http_requests_total",
        "counter",
        "Requests answered.",
    );
    for ((method, path), route) in routes.iter().zip(&metrics.routes) {
        for (class, answers) in CLASSES.iter().zip(&route.answers) {
            if load(answers) > 0 {
                let answers = load(answers);
                line(
                    &mut text,
                    format_args!(
                        "http_requests_total{{method=\"{method}\",path=\"{path}\",status=\"{class}\"}} {answers}"
                    ),
                );
            }
        }
    }
    head(
        &mut text,
        "http_request_duration_seconds",
        "histogram",
        "Time from a request's header to its answer's.",
    );
    for ((method, path), route) in routes.iter().zip(&metrics.routes) {
        let labels = format!("method=\"{method}\",path=\"{path}\"");
        let count: u64 = route.answers.iter().map(load).sum();
        if count == 0 {
            continue;
        }
        let mut up_to = 0;
        for (bound, bucket) in BUCKETS.iter().zip(&route.buckets) {
            up_to += load(bucket);
            line(
                &mut text,
                format_args!(
                    "http_request_duration_seconds_bucket{{{labels},le=\"{bound}\"}} {up_to}"
                ),
            );
        }
        line(
            &mut text,
            format_args!("http_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} {count}"),
        );
        let seconds = load(&route.microseconds) as f64 / 1e6;
        line(
            &mut text,
            format_args!("http_request_duration_seconds_sum{{{labels}}} {seconds}"),
        );
        line(
            &mut text,
            format_args!("http_request_duration_seconds_count{{{labels}}} {count}"),
        );
    }

    let gauges = node.shared.ledger.gauges();
    for (name, kind, help, value) in [
        (
            "chain_length",
            "gauge",
            "Blocks in the chain.",
            node.blocks() as f64,
        ),
        (
            "pending_transactions",
            "gauge",
            "Transactions that wait for a block.",
            node.pending() as f64,
        ),
        (
            "peers",
            "gauge",
            "Registered nodes.",
            node.shared.ledger.peers().len() as f64,
        ),
        (
            "hashes_total",
            "counter",
            "Nonces tried by searches.",
            node.shared.miner.hashes() as f64,
        ),
        (
            "hashrate",
            "gauge",
            "Nonces a second, of the search at hand or else of the last.",
            node.shared.miner.hashrate(),
        ),
        (
            "mining",
            "gauge",
            "Whether a search is under way.",
            f64::from(u8::from(node.shared.miner.is_mining())),
        ),
        (
            "blocks_forged_total",
            "counter",
            "Blocks that this process made.",
            load(&gauges.blocks_forged) as f64,
        ),
        (
            "chains_replaced_total",
            "counter",
            "Times a peer's chain replaced ours.",
            load(&metrics.chains_replaced) as f64,
        ),
        (
            "peer_failures_total",
            "counter",
            "Times a peer could not be used.",
            load(&metrics.peer_failures) as f64,
        ),
        (
            "commits_total",
            "counter",
            "Commits to the database.",
            load(&gauges.commits) as f64,
        ),
        (
            "connections",
            "gauge",
            "Open connections.",
            load(&metrics.connections) as f64,
        ),
        (
            "uptime_seconds",
            "gauge",
            "Time since the start.",
            node.shared.started.elapsed().as_secs_f64(),
        ),
    ] {
        head(&mut text, name, kind, help);
        line(&mut text, format_args!("{name} {value}"));
    }
    text
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP fourzero_{name} {help}");
    let _ = writeln!(text, "# TYPE fourzero_{name} {kind}");
}

fn line(text: &mut String, sample: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "fourzero_{sample}");
}
