//! Queues: every way of reading one gives the same blocks and the same error,
//! and a well-formed one gives what stands in it.

mod forge;
mod plain;

use std::io::Read;
use std::num::NonZeroUsize;

use fourzero::batch::Queue;
use fourzero::chain::Strictness;

use crate::drip::Drip;
use crate::recipe::Recipe;

/// What a queue holds: the transactions of each block, as canonical text with
/// their number; and the error that ends it, if one does.
#[derive(PartialEq, Debug)]
struct Held {
    blocks: Vec<(usize, String)>,
    error: Option<String>,
}

/// The first byte chooses how the queue is read and whether the others are
/// its text or a recipe for it.
pub fn queue_reader(data: &[u8]) {
    let recipe = &mut Recipe::new(data);
    let choice = recipe.byte();
    let block_size = 1 + usize::from(choice >> 2 & 3);
    let strictness = match choice >> 4 & 1 {
        0 => Strictness::Presence,
        _ => Strictness::Typed,
    };
    let text = match choice & 3 {
        0 | 1 => recipe.rest().to_vec(),
        2 => forge::json(recipe),
        _ => forge::csv(recipe),
    };
    let found = held(text.as_slice(), block_size, strictness);
    for most in [1, 2, 61] {
        let again = held(Drip::new(&text, most), block_size, strictness);
        assert_eq!(again, found, "{most} bytes a read");
    }
    plain::compare(&text, &found, block_size, strictness);
}

fn held(source: impl Read, block_size: usize, strictness: Strictness) -> Held {
    let mut held = Held {
        blocks: Vec::new(),
        error: None,
    };
    let block_size = NonZeroUsize::new(block_size).unwrap();
    for block in Queue::new(source, block_size, strictness) {
        assert_eq!(held.error, None, "it goes on after an error");
        match block {
            Ok(block) => {
                let text = block.canonical_text().to_owned();
                held.blocks.push((block.count(), text));
            }
            Err(error) => held.error = Some(error.to_string()),
        }
    }
    held
}
