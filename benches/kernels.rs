//! Nonces per second of every kernel that this CPU runs, on one thread, in
//! messages of one and two blocks and at several positions of the nonce.
//!
//! `cargo bench --bench kernels`. Other programs may slow any of the
//! measurements: compare best with best.

use std::hint::black_box;
use std::num::NonZeroUsize;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fourzero::pow::{Control, Nonce, NonceRange, Searcher, Target, Template};
use fourzero::sha256::Kernel;

/// Nonces in one timed search, which finds nothing.
const NONCES: u64 = 64_000;

struct Message {
    name: &'static str,
    prefix: usize,
    suffix: usize,
    first_nonce: u64,
}

const MESSAGES: [Message; 7] = [
    message("one block", 5, 0, 10_000_000),
    message("one block, short nonce", 5, 0, 10_000),
    message("one block, digits at its end", 45, 0, 10_000_000),
    message("two blocks", 5, 64, 10_000_000),
    message("two blocks, short nonce", 5, 64, 10_000),
    message("two blocks, digits across both", 58, 0, 10_000_000),
    message("midstate, then one block", 69, 0, 10_000_000),
];

const fn message(name: &'static str, prefix: usize, suffix: usize, first_nonce: u64) -> Message {
    Message {
        name,
        prefix,
        suffix,
        first_nonce,
    }
}

impl Message {
    fn template(&self) -> Template {
        Template::new("7".repeat(self.prefix), "e".repeat(self.suffix))
    }
}

/// Panics unless the search finds what the `sha2` kernel finds.
fn check(searcher: &Searcher, message: &Message) {
    let template = message.template();
    let target = Target::FOUR_ZEROS;
    let range = NonceRange::starting_at(Nonce(message.first_nonce));
    let find = |searcher: &Searcher| {
        searcher
            .find(&template, target, range, &Control::new())
            .expect("the search runs")
            .hit
    };
    let reference = Searcher::new(NonZeroUsize::MIN, "sha2".parse().expect("sha2 always runs"))
        .expect("one thread is at hand");
    assert_eq!(find(searcher), find(&reference), "{}", message.name);
}

fn kernels(criterion: &mut Criterion) {
    let unreachable = Target::from_bits(200).expect("within 256 bits");
    for message in &MESSAGES {
        let mut group = criterion.benchmark_group(message.name);
        group.throughput(Throughput::Elements(NONCES));
        for kernel in Kernel::available() {
            let searcher =
                Searcher::new(NonZeroUsize::MIN, kernel.into()).expect("one thread is at hand");
            check(&searcher, message);
            let template = message.template();
            let range = NonceRange::new(
                Nonce(message.first_nonce),
                Nonce(message.first_nonce + NONCES),
            );
            group.bench_function(BenchmarkId::from_parameter(kernel), |bencher| {
                bencher.iter(|| {
                    let outcome = searcher
                        .find(black_box(&template), unreachable, range, &Control::new())
                        .expect("the search runs");
                    assert_eq!((outcome.hit, outcome.hashes), (None, NONCES));
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, kernels);
criterion_main!(benches);
