//! What the node counts, in the types that `/metrics` writes.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the latency histogram's buckets, in seconds.
const BUCKETS: [f64; 10] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 10.0,
];

/// Counters and gauges that clones share.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    pub(super) chains_replaced: Counter,
    pub(super) peer_failures: Counter,
    pub(super) connections: Gauge,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    path: &'static str,
    status: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    path: &'static str,
}

impl Metrics {
    pub(super) fn new() -> Self {
        Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            chains_replaced: Counter::default(),
            peer_failures: Counter::default(),
            connections: Gauge::default(),
        }
    }

    /// Counts an answer. `path` is as the router knows it, such as
    /// `/blocks/{index}`: clients must not be able to create new labels.
    pub(super) fn count(
        &self,
        method: &Method,
        path: &'static str,
        status: StatusCode,
        elapsed: Duration,
    ) {
        let method = match *method {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            Method::POST => "POST",
            Method::OPTIONS => "OPTIONS",
            _ => "other",
        };
        self.durations
            .get_or_create(&RouteLabels { method, path })
            .observe(elapsed.as_secs_f64());
        let status = match status.as_u16() {
            ..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            500.. => "5xx",
        };
        let labels = RequestLabels {
            method,
            path,
            status,
        };
        self.requests.get_or_create(&labels).inc();
    }

    /// Adds all of them to a registry, which adds `_total` to the names of
    /// counters.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("http_requests", "Answered requests", self.requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "Time from the end of a request's head to the start of its answer",
            self.durations.clone(),
        );
        registry.register(
            "chains_replaced",
            "Times that a peer's chain replaced ours",
            self.chains_replaced.clone(),
        );
        registry.register(
            "peer_failures",
            "Visits to peers that gave no valid chain",
            self.peer_failures.clone(),
        );
        registry.register("connections", "Open connections", self.connections.clone());
    }
}
