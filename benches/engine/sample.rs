//! Sample queues and chains, the same in every run.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Cursor, Read as _, Write};
use std::path::{Path, PathBuf};

use fourzero::batch::{Clock, MineOptions, NamedQueue};

/// About the bytes of a transaction in a chain, with its share of the block.
const TRANSACTION_BYTES: u64 = 120;

/// Buffers of files.
const BUFFER_BYTES: usize = 1 << 20;

/// The default options, with timestamps that do not depend on the clock.
pub(crate) fn mine_options() -> MineOptions {
    MineOptions {
        clock: Clock::From(1_700_000_000.5),
        ..MineOptions::default()
    }
}

/// A queue in memory.
pub(crate) fn queue(blocks: u64) -> NamedQueue {
    let mut text = Vec::new();
    let transactions = blocks * mine_options().block_size.get() as u64;
    write_transactions(&mut text, transactions).expect("memory takes all");
    NamedQueue::new("sample", Cursor::new(text))
}

fn write_transactions(mut out: impl Write, transactions: u64) -> io::Result<()> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    // Marsaglia's xorshift is random enough for names and amounts.
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..transactions {
        let (sender, recipient, number) = (next(), next(), next());
        let account = recipient % 1_000_000;
        let amount = match number % 4 {
            0 => format!("{}.{}", number % 10_007, number % 9 + 1),
            _ => (number % 1_000_003).to_string(),
        };
        // Senders are as long as the tutorial's node ids.
        writeln!(
            out,
            "{{\"sender\": \"{sender:016x}{recipient:016x}\", \"recipient\": \"account-{account}\", \
             \"amount\": {amount}}}"
        )?;
    }
    out.flush()
}

/// The files of a queue and of its chain.
pub(crate) struct SampleFiles {
    transactions: u64,
    pub(crate) queue: PathBuf,
    pub(crate) chain: PathBuf,
    /// The chain as Flask sends it.
    pub(crate) compact: PathBuf,
}

impl SampleFiles {
    pub(crate) fn of_transactions(folder: &Path, transactions: u64) -> Self {
        let path = |ending| folder.join(format!("sample-{transactions}.{ending}"));
        Self {
            transactions,
            queue: path("jsonl"),
            chain: path("json"),
            compact: path("compact.json"),
        }
    }

    pub(crate) fn of_megabytes(folder: &Path, megabytes: u64) -> Self {
        Self::of_transactions(folder, megabytes * 1_000_000 / TRANSACTION_BYTES)
    }

    pub(crate) fn write_queue(&self) -> io::Result<()> {
        let out = BufWriter::with_capacity(BUFFER_BYTES, File::create(&self.queue)?);
        write_transactions(out, self.transactions)
    }

    /// Copies the chain without white space between its parts.
    pub(crate) fn write_compact(&self) -> io::Result<()> {
        let chain = BufReader::with_capacity(BUFFER_BYTES, File::open(&self.chain)?);
        let mut out = BufWriter::with_capacity(BUFFER_BYTES, File::create(&self.compact)?);
        let (mut in_string, mut is_escaped) = (false, false);
        for byte in chain.bytes() {
            let byte = byte?;
            if in_string {
                in_string = byte != b'"' || is_escaped;
                is_escaped = byte == b'\\' && !is_escaped;
            } else if byte.is_ascii_whitespace() {
                continue;
            } else {
                in_string = byte == b'"';
            }
            out.write_all(&[byte])?;
        }
        out.flush()
    }

    pub(crate) fn remove(&self) {
        for path in [&self.queue, &self.chain, &self.compact] {
            // Some of them may not exist.
            let _ = fs::remove_file(path);
        }
    }
}
