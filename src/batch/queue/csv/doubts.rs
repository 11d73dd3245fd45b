//! Cells of CSV queues that are read as they are written, but are rarely
//! intended.

use super::quoted;
use crate::chain::TRANSACTION_FIELDS;

/// Cells of CSV queues that are read as they are written, but are rarely
/// intended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CsvDoubts {
    /// Amounts that are not numbers, and become text in the chain.
    pub text_amounts: Option<DoubtfulCells>,
    /// Names that start or end with white space. The chain keeps it, so they are
    /// not the names without it.
    pub padded_names: Option<DoubtfulCells>,
}

/// The first of some cells, and how many there are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DoubtfulCells {
    /// The queue with the first one.
    pub queue: String,
    /// The line in that queue where its row starts.
    pub line: u64,
    /// Its column.
    pub field: &'static str,
    /// The first one, quoted, and shortened if it is long.
    pub first: String,
    /// How many there are in all queues.
    pub count: u64,
}

impl CsvDoubts {
    /// These and those of a later queue.
    #[must_use]
    pub fn and(self, later: Self) -> Self {
        Self {
            text_amounts: joined(self.text_amounts, later.text_amounts),
            padded_names: joined(self.padded_names, later.padded_names),
        }
    }

    /// Notes which cells of a row are doubtful, in the order of
    /// [`TRANSACTION_FIELDS`].
    #[inline(always)]
    pub(super) fn note(&mut self, doubtful: [bool; 3], cells: [&[u8]; 3], line: u64) {
        if doubtful != [false; 3] {
            self.note_cells(doubtful, cells, line);
        }
    }

    #[cold]
    fn note_cells(&mut self, doubtful: [bool; 3], cells: [&[u8]; 3], line: u64) {
        // The sender comes before the recipient in most files.
        for place in (0..doubtful.len()).rev().filter(|place| doubtful[*place]) {
            let field = TRANSACTION_FIELDS[place];
            let doubts = match field {
                "amount" => &mut self.text_amounts,
                _ => &mut self.padded_names,
            };
            let cells = doubts.get_or_insert_with(|| DoubtfulCells {
                queue: String::new(),
                line,
                field,
                first: quoted(&String::from_utf8_lossy(cells[place])),
                count: 0,
            });
            cells.count += 1;
        }
    }

    pub(super) fn in_queue(mut self, name: &str) -> Self {
        let all = [&mut self.text_amounts, &mut self.padded_names];
        for cells in all.into_iter().flatten() {
            cells.queue = name.to_owned();
        }
        self
    }
}

fn joined(one: Option<DoubtfulCells>, later: Option<DoubtfulCells>) -> Option<DoubtfulCells> {
    match (one, later) {
        (Some(one), Some(later)) => Some(DoubtfulCells {
            count: one.count + later.count,
            ..one
        }),
        (one, later) => one.or(later),
    }
}
