//! Queues: all ways to read one must return the same blocks and error, and for a
//! well-formed queue those of the simple reader.

mod generate;
mod simple;

use std::io::Read;
use std::num::NonZeroUsize;

use fourzero::batch::Queue;
use fourzero::chain::Strictness;

use crate::recipe::Recipe;
use crate::slow_reader::SlowReader;

/// The content of a queue: the number and canonical text of each block's
/// transactions, and the error that ends it, if any.
#[derive(PartialEq, Debug)]
struct Content {
    blocks: Vec<(usize, String)>,
    error: Option<String>,
}

/// The first byte chooses the options, and whether the other bytes are the text
/// or a recipe for it.
pub fn queue_reader(data: &[u8]) {
    let recipe = &mut Recipe::new(data);
    let choice = recipe.byte();
    let block_size = 1 + usize::from(choice >> 2 & 3);
    let strictness = match choice >> 4 & 1 {
        0 => Strictness::Presence,
        _ => Strictness::Strict,
    };
    let text = match choice & 3 {
        0 | 1 => recipe.rest().to_vec(),
        2 => generate::json(recipe),
        _ => generate::csv(recipe),
    };
    let found = content(text.as_slice(), block_size, strictness);
    for most in [1, 2, 61] {
        let again = content(SlowReader::new(&text, most), block_size, strictness);
        assert_eq!(again, found, "{most} bytes per read");
    }
    simple::compare(&text, &found, block_size, strictness);
}

fn content(source: impl Read, block_size: usize, strictness: Strictness) -> Content {
    let mut content = Content {
        blocks: Vec::new(),
        error: None,
    };
    let block_size = NonZeroUsize::new(block_size).unwrap();
    for block in Queue::new(source, block_size, strictness) {
        assert_eq!(content.error, None, "the iterator continues after an error");
        match block {
            Ok(block) => {
                let text = block.canonical_text().to_owned();
                content.blocks.push((block.count(), text));
            }
            Err(error) => content.error = Some(error.to_string()),
        }
    }
    content
}
