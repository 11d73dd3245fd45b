//! What the `sha2` crate does on this machine: the yardstick of everything
//! that hashes text.

use std::num::NonZeroUsize;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::sha256::Digest;

/// Text hashed at once: it stays in a core's own cache.
const TEXT_BYTES: usize = 256 << 10;

/// The bytes that `threads` threads hash in a second when they do nothing
/// else, each text after text for `duration`.
pub fn sha2_bytes_per_second(threads: NonZeroUsize, duration: Duration) -> f64 {
    let start = Barrier::new(threads.get());
    let hash_alone = || {
        let text = vec![b'7'; TEXT_BYTES];
        start.wait();
        let started = Instant::now();
        let mut bytes = 0u64;
        while started.elapsed() < duration || bytes == 0 {
            std::hint::black_box(Digest::of(std::hint::black_box(&text)));
            bytes += TEXT_BYTES as u64;
        }
        bytes as f64 / started.elapsed().as_secs_f64()
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads.get())
            .map(|_| scope.spawn(hash_alone))
            .collect();
        let own = hash_alone();
        let join = |thread: thread::ScopedJoinHandle<'_, f64>| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        own + others.into_iter().map(join).sum::<f64>()
    })
}
