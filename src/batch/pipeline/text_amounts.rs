//! Amounts that the reading stage took as text, for whoever looks at what was
//! made of them.

use std::fmt;

use crate::batch::queue::TextAmounts as InQueue;

/// Amounts of CSV queues that are no numbers, and stand in the chain as text.
/// Python keeps them, too, but few mean it so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextAmounts {
    /// The first queue that holds one.
    pub queue: String,
    /// The line in which the first one's row starts there.
    pub line: u64,
    /// The first one, quoted, and shortened if it is long.
    pub first: String,
    /// How many there are in all queues.
    pub count: u64,
}

impl TextAmounts {
    /// What was found in a queue that was read to its end.
    pub(super) fn of(queue: &str, found: &InQueue) -> Self {
        Self {
            queue: queue.to_owned(),
            line: found.line,
            first: found.first.clone(),
            count: found.count,
        }
    }

    /// These and those of a further queue or chain.
    #[must_use]
    pub fn and(self, further: Self) -> Self {
        Self {
            count: self.count + further.count,
            ..self
        }
    }
}

impl fmt::Display for TextAmounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            queue,
            line,
            first,
            count,
        } = self;
        write!(
            f,
            "{queue}: line {line}: the amount {first} is no number and is kept as text"
        )?;
        match count {
            1 => Ok(()),
            _ => write!(f, " (and {} more)", count - 1),
        }
    }
}
