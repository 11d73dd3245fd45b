//! The tutorial's first puzzle: the smallest `y >= 0` for which the SHA-256
//! of the text of `x * y` ends in the hex digit `0`.

use crate::sha256::Digest;

/// An answer to the puzzle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Solution {
    /// The smallest `y`.
    pub y: u64,
    /// `x * y`, whose decimal text was hashed.
    pub product: i128,
    /// Its digest, which ends in `0`.
    pub digest: Digest,
}

/// Solves the puzzle for `x`. Returns `None` for `x = 0`: every product is 0, and
/// the digest of `"0"` ends in 9.
///
/// ```
/// use fourzero::pow::puzzle;
///
/// assert_eq!(puzzle::solve(5).unwrap().y, 21);
/// assert_eq!(puzzle::solve(10).unwrap().y, 24);
/// assert!(puzzle::solve(0).is_none());
/// ```
pub fn solve(x: i64) -> Option<Solution> {
    if x == 0 {
        return None;
    }
    (0..=u64::MAX)
        .map(|y| {
            // At most 2^63 * 2^64 in size, so it cannot overflow.
            let product = i128::from(x) * i128::from(y);
            Solution {
                y,
                product,
                digest: Digest::of(product.to_string().as_bytes()),
            }
        })
        .find(|solution| solution.digest.as_bytes()[31] & 0x0f == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_smaller_y_is_an_answer() {
        for x in [-7, 1, 2, 3, 5, 10, 999, i64::MIN, i64::MAX] {
            let solution = solve(x).unwrap();
            assert!(solution.digest.to_string().ends_with('0'));
            for y in 0..solution.y {
                let product = i128::from(x) * i128::from(y);
                let digest = Digest::of(product.to_string().as_bytes()).to_string();
                assert!(!digest.ends_with('0'), "x = {x}, y = {y}");
            }
        }
    }
}
