//! Input that is generated in pieces, so that a gigabyte of it needs no memory
//! in the test.

use std::iter;

/// Bytes in pieces of about a megabyte.
pub(super) struct Pieces(Box<dyn Iterator<Item = Vec<u8>> + Send>);

const PIECE: usize = 1 << 20;

impl Iterator for Pieces {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        self.0.next()
    }
}

impl From<&str> for Pieces {
    fn from(text: &str) -> Self {
        text.as_bytes().to_vec().into()
    }
}

impl From<String> for Pieces {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<Vec<u8>> for Pieces {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Box::new(iter::once(bytes)))
    }
}

impl Pieces {
    /// Appends `more`.
    pub(super) fn then(self, more: impl Into<Self>) -> Self {
        Self(Box::new(self.0.chain(more.into().0)))
    }
}

/// `unit` repeated to `bytes` or a little less.
pub(super) fn repeat(unit: &str, bytes: usize) -> Pieces {
    let in_piece = (PIECE / unit.len()).max(1);
    let units = bytes / unit.len();
    let piece = unit.repeat(in_piece).into_bytes();
    let whole = iter::repeat_n(piece, units / in_piece);
    let rest = unit.repeat(units % in_piece).into_bytes();
    Pieces(Box::new(whole.chain(iter::once(rest))))
}

/// `unit(0)`, `unit(1)` and so on, `count` of them.
pub(super) fn numbered(count: usize, unit: fn(usize) -> String) -> Pieces {
    let step = 10_000;
    let pieces = (0..count).step_by(step).map(move |first| {
        let last = (first + step).min(count);
        (first..last).map(unit).collect::<String>().into_bytes()
    });
    Pieces(Box::new(pieces))
}
