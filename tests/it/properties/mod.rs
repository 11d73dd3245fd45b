//! What holds for random queues and chains: what is mined is valid and exactly
//! as specified, no change of it goes unnoticed, and the number of threads
//! makes no difference.

mod changes;
mod mining;
mod plan;
mod thread_counts;

use proptest::prelude::ProptestConfig;

/// So many random cases. A failure prints the smallest one, which belongs into
/// a test of its own.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}
