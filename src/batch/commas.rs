//! Large numbers for people.

/// Adds a comma before every three digits of a whole number.
///
/// ```
/// use fourzero::batch::with_commas;
///
/// assert_eq!(with_commas("1234567"), "1,234,567");
/// ```
pub fn with_commas(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_readable() {
        let shown = ["0", "999", "1000", "61196", "611960", "1234567"].map(with_commas);
        assert_eq!(
            shown,
            ["0", "999", "1,000", "61,196", "611,960", "1,234,567"]
        );
    }
}
