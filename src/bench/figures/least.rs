//! The parts of mining that nothing can spare, each done alone: what is left
//! to gain in the rest.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::time::Instant;

use super::proportion::Chain;
use super::{Bench, FiguresError};
use crate::bench::task;
use crate::chain::read_buffer::{ReadBuffer, Source};
use crate::pow::Searcher;
use crate::sha256::KernelChoice;

/// From the genesis proof on, so many proofs are searched under `last-proof`
/// at four zeros. All others are known by then.
const SEARCHES: u64 = 108;

/// Bytes copied at once.
const COPY_BYTES: usize = 128 << 10;

/// Seconds that mining `chain` takes at least: the searches of its proofs on
/// all threads; then the SHA-256 of its text, which is one stream, for each
/// block quotes the hash of the one before; and beside that, on the other
/// threads, reading its queue and writing its bytes. `sha2` is the bytes that
/// one thread hashes in a second.
///
/// Not in it: whatever is done with the bytes between reading and writing.
pub(super) fn seconds(bench: &Bench<'_>, chain: &Chain, sha2: f64) -> Result<f64, FiguresError> {
    let bytes = fs::metadata(chain.mined())
        .map_err(FiguresError::Data)?
        .len();
    let hashing = bytes as f64 / sha2;
    let copying = copying(chain, bytes).map_err(FiguresError::Data)?;
    let evenly = (hashing + copying) / bench.plan.threads.get() as f64;
    Ok(searching(bench)? + evenly.max(hashing))
}

/// Mines the blocks whose proofs are searched, and keeps them in memory.
fn searching(bench: &Bench<'_>) -> Result<f64, FiguresError> {
    let searcher = Searcher::new(bench.plan.threads, KernelChoice::Measured)?;
    let mined = bench.mine_in_memory(SEARCHES, &task::options(), &searcher)?;
    Ok(mined.elapsed.as_secs_f64())
}

/// Reads the queue to its end, and writes so many `bytes` to a new file.
fn copying(chain: &Chain, bytes: u64) -> io::Result<f64> {
    let path = chain.scratch();
    let text = vec![b'7'; COPY_BYTES];
    let mut buffer = ReadBuffer::default();
    let started = Instant::now();
    let mut queue = Source::new(File::open(chain.queue())?);
    while buffer.fill(&mut queue, COPY_BYTES)? > 0 {
        buffer.take(buffer.unread().len());
    }
    let mut out = File::create(&path)?;
    let mut left = bytes;
    while left > 0 {
        let count = text.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        out.write_all(&text[..count])?;
        left -= count as u64;
    }
    let seconds = started.elapsed().as_secs_f64();
    drop(out);
    fs::remove_file(path)?;
    Ok(seconds)
}
