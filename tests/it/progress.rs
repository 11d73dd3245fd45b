//! The counts in a [`Control`] while mining, which the progress line shows.

use std::num::NonZeroUsize;
use std::path::Path;

use fourzero::batch::{
    Clock, MineOptions, NamedQueue, OutputOptions, Overwrite, ReadBack, Resume, mine_to_file,
};
use fourzero::chain::Format;
use fourzero::pow::{Control, Searcher};
use fourzero::sha256::KernelChoice;

use crate::support::Folder;

const TRANSACTIONS: usize = 100;
const BLOCKS: u64 = 11;

fn queue(folder: &Folder) -> std::path::PathBuf {
    let line = "{\"sender\": \"a\", \"recipient\": \"b\", \"amount\": 1}\n";
    folder.write("queue.jsonl", line.repeat(TRANSACTIONS))
}

/// Mines the queue into `output` and returns the counts.
fn mine(queue: &Path, output: &Path, read_back: ReadBack) -> Control {
    let control = Control::new();
    let options = MineOptions {
        recipient: "me".into(),
        clock: Clock::From(0.0),
        ..MineOptions::default()
    };
    let output = OutputOptions {
        path: output.to_owned(),
        format: Format::Json,
        overwrite: Overwrite::Never,
        read_back,
        resume: Resume::SameRecipient,
    };
    let searcher = Searcher::new(NonZeroUsize::MIN, KernelChoice::Measured).unwrap();
    let queues = vec![NamedQueue::open(queue).unwrap()];
    let summary = mine_to_file(queues, &output, &options, &searcher, &control).unwrap();
    assert_eq!(summary.blocks, BLOCKS);
    control
}

#[test]
fn the_whole_queue_is_counted_and_verifying_is_counted_separately() {
    let folder = Folder::new();
    let queue = queue(&folder);
    let size = std::fs::metadata(&queue).unwrap().len();
    let control = mine(&queue, &folder.path("chain.json"), ReadBack::Verify);
    assert_eq!((control.blocks(), control.given_blocks()), (BLOCKS, 1));
    assert_eq!((control.bytes(), control.bytes_mined()), (size, size));
    assert_eq!(control.next_step().unwrap().blocks(), BLOCKS);

    let control = mine(&queue, &folder.path("unread.json"), ReadBack::Skip);
    assert_eq!(control.next_step().unwrap().blocks(), 0, "only synced");
}

#[test]
fn existing_blocks_are_counted_as_given() {
    let folder = Folder::new();
    let queue = queue(&folder);
    let output = folder.path("chain.json");
    mine(&queue, &output, ReadBack::Skip);
    let chain = folder.read("chain.json");
    // A finished chain, then a journal with its first six blocks.
    let finished = mine(&queue, &output, ReadBack::Skip);
    assert_eq!(finished.given_blocks(), BLOCKS);
    assert_eq!(finished.bytes_mined(), finished.bytes());
    assert!(finished.next_step().is_none(), "there was nothing to do");
    std::fs::remove_file(&output).unwrap();
    let end = chain.find(", {\"index\": 7, ").unwrap();
    folder.write("chain.json.journal", &chain[..end]);
    let control = mine(&queue, &output, ReadBack::Skip);
    assert_eq!((control.blocks(), control.given_blocks()), (BLOCKS, 6));
    assert_eq!(control.bytes_mined(), control.bytes());
    assert_eq!(folder.read("chain.json"), chain);
}
