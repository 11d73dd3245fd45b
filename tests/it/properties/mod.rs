//! Properties of random queues and chains: mined chains are valid and exactly as
//! specified, every change to them is found, the number of threads does not
//! matter, and CSV queues may be in any form that Python writes.

mod changes;
mod mining;
mod plan;
mod queues;
mod thread_counts;

use proptest::prelude::ProptestConfig;

/// The number of random cases. A failure prints the smallest one, for which to
/// add a test.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}
