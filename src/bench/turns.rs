//! What several turns of one measurement say.

/// The values of several turns of one measurement. Where nothing else is said,
/// the larger is the better.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Turns(Vec<f64>);

impl Turns {
    /// Adds a turn. A value that is no number would have no place among the
    /// others and is left out.
    pub fn push(&mut self, value: f64) {
        if !value.is_nan() {
            let place = self.0.partition_point(|other| *other <= value);
            self.0.insert(place, value);
        }
    }

    /// The largest value; 0 without turns.
    pub fn best(&self) -> f64 {
        self.0.last().copied().unwrap_or(0.0)
    }

    /// The smallest value; 0 without turns.
    pub fn least(&self) -> f64 {
        self.0.first().copied().unwrap_or(0.0)
    }

    /// The middle value, or the mean of the two in the middle; 0 without
    /// turns.
    pub fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        match self.0.len() {
            0 => 0.0,
            length if length % 2 == 1 => self.0[middle],
            _ => f64::midpoint(self.0[middle - 1], self.0[middle]),
        }
    }

    /// By what share of the best the median lies below it: 0 when all turns
    /// are alike.
    ///
    /// ```
    /// use fourzero::bench::Turns;
    ///
    /// let turns: Turns = [90.0, 100.0, 80.0].into_iter().collect();
    /// assert_eq!((turns.best(), turns.median()), (100.0, 90.0));
    /// assert!((turns.scatter() - 0.1).abs() < 1e-9);
    /// ```
    pub fn scatter(&self) -> f64 {
        scatter(self.best(), self.median())
    }
}

/// See [`Turns::scatter`].
pub(super) fn scatter(best: f64, median: f64) -> f64 {
    if best > 0.0 {
        (best - median) / best
    } else {
        0.0
    }
}

impl Extend<f64> for Turns {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.push(value));
    }
}

impl FromIterator<f64> for Turns {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut turns = Self::default();
        turns.extend(values);
        turns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn best_and_median_do_not_depend_on_the_order() {
        for values in [[3.0, 1.0, 2.0, 4.0], [4.0, 3.0, 2.0, 1.0]] {
            let turns: Turns = values.into_iter().collect();
            assert_eq!((turns.best(), turns.median()), (4.0, 2.5));
        }
        let odd: Turns = [5.0, f64::NAN, 1.0, 2.0].into_iter().collect();
        assert_eq!((odd.best(), odd.median(), odd.least()), (5.0, 2.0, 1.0));
    }

    #[test]
    fn no_turns_are_no_reason_to_divide_by_zero() {
        let none = Turns::default();
        assert_eq!(
            (none.best(), none.median(), none.scatter()),
            (0.0, 0.0, 0.0)
        );
    }
}
