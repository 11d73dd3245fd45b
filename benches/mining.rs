//! The parts of mining besides the kernels: the canonical text of blocks, and
//! whole searches for four hex zeros.
//!
//! `cargo bench --bench mining`.

use std::hint::black_box;
use std::num::NonZeroUsize;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fourzero::chain::json::Transcoder;
use fourzero::pow::{Control, Nonce, NonceRange, Searcher, Target, Template};
use fourzero::sha256::Kernel;

/// A chain that a Python node made, and the tutorial's first proofs after 100.
const CHAIN: &[u8] = include_bytes!("../tests/data/chain-last-hash.json");
const PROOFS: [u64; 8] = [35293, 35089, 119678, 146502, 43538, 85724, 51178, 71730];

fn canonical_encoder(criterion: &mut Criterion) {
    let value: serde_json::Value = serde_json::from_slice(CHAIN).expect("the file is JSON");
    // Maps of serde_json are sorted, and the file has ASCII only.
    let compact = value.to_string().into_bytes();
    let mut spaced = Vec::new();
    let mut transcoder = Transcoder::default();
    transcoder
        .transcode(&compact, &mut spaced)
        .expect("a chain has a canonical text");
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&spaced).expect("canonical text is JSON"),
        value
    );
    let mut group = criterion.benchmark_group("canonical text");
    for (name, text) in [("of compact text", &compact), ("of itself", &spaced)] {
        let mut out = Vec::with_capacity(spaced.len());
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                transcoder
                    .transcode(black_box(text), &mut out)
                    .expect("it has a canonical text");
            });
        });
        assert!(out == spaced, "{name}");
    }
    group.finish();
}

/// The first eight proofs of the tutorial's chain, one after another.
fn four_zeros(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("eight proofs of four zeros");
    let hashes: u64 = PROOFS.iter().map(|proof| proof + 1).sum();
    group.throughput(Throughput::Elements(hashes));
    group.sample_size(20);
    for kernel in Kernel::available() {
        for threads in [1, 2] {
            let threads = NonZeroUsize::new(threads).expect("not zero");
            let searcher = Searcher::new(threads, kernel.into()).expect("the threads start");
            let proofs = || {
                let mut last = 100;
                PROOFS.map(|_| {
                    let outcome = searcher
                        .find(
                            &Template::new(last.to_string(), ""),
                            Target::FOUR_ZEROS,
                            NonceRange::starting_at(Nonce(0)),
                            &Control::new(),
                        )
                        .expect("the search runs");
                    last = outcome.hit.expect("there is a proof").nonce.0;
                    last
                })
            };
            assert_eq!(proofs(), PROOFS, "{kernel}");
            group.bench_function(BenchmarkId::new(kernel.to_string(), threads), |bencher| {
                bencher.iter(proofs);
            });
        }
    }
    group.finish();
}

criterion_group!(benches, canonical_encoder, four_zeros);
criterion_main!(benches);
