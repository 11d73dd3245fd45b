//! The timestamps of a chain's blocks.

use crate::chain::json::{Kind, View};

/// The timestamps of a chain, in seconds since the epoch.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Times {
    /// The number of timestamps.
    pub count: u64,
    /// The first timestamp.
    pub first: Option<f64>,
    /// The last timestamp.
    pub last: Option<f64>,
    /// Blocks that are older than the block before them.
    pub backwards: u64,
    /// Blocks without a timestamp, or with one that is not a number or is outside
    /// the range of a double.
    pub odd: u64,
}

impl Times {
    /// Seconds between the first and the last timestamp; `None` unless there are
    /// two.
    pub fn span(&self) -> Option<f64> {
        let span = self.last? - self.first?;
        (self.count > 1).then_some(span)
    }

    pub(super) fn add(&mut self, timestamp: Option<View<'_>>) {
        let Some(time) = timestamp.and_then(seconds) else {
            self.odd += 1;
            return;
        };
        self.count += 1;
        self.backwards += u64::from(self.last.is_some_and(|last| time < last));
        self.first.get_or_insert(time);
        self.last = Some(time);
    }
}

fn seconds(value: View<'_>) -> Option<f64> {
    if !matches!(value.kind(), Kind::Integer | Kind::Float) {
        return None;
    }
    let seconds: f64 = std::str::from_utf8(value.text()).ok()?.parse().ok()?;
    seconds.is_finite().then_some(seconds)
}
