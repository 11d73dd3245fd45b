//! The rate of the `sha2` crate on this machine, with which verification is
//! compared.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use fourzero::sha256::Digest;

/// Small enough for a core's own cache.
const TEXT_BYTES: usize = 256 << 10;

const DURATION: Duration = Duration::from_millis(100);

/// The bytes per second that `threads` threads hash together when they do
/// nothing else.
pub(crate) fn sha2_bytes_per_second(threads: NonZeroUsize) -> f64 {
    let start = Barrier::new(threads.get());
    let hash = || {
        let text = vec![b'7'; TEXT_BYTES];
        start.wait();
        let (started, mut bytes) = (Instant::now(), 0);
        while started.elapsed() < DURATION {
            black_box(Digest::of(black_box(&text)));
            bytes += TEXT_BYTES;
        }
        bytes as f64 / started.elapsed().as_secs_f64()
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.get()).map(|_| scope.spawn(hash)).collect();
        let rates = workers.into_iter().map(thread::ScopedJoinHandle::join);
        rates
            .map(|rate| rate.expect("hashing does not panic"))
            .sum()
    })
}
