//! Data to measure with, made by the program itself: queues of transactions,
//! and a chain in the text that Flask sends.

use std::io::{self, BufRead, Read, Write};

/// A queue in JSON Lines that is made as it is read: as many transactions as
/// asked for, the same in every run.
#[derive(Debug)]
pub struct SampleQueue {
    left: u64,
    state: u64,
    line: Vec<u8>,
    read: usize,
}

impl SampleQueue {
    /// A queue of `transactions`.
    pub const fn new(transactions: u64) -> Self {
        Self {
            left: transactions,
            state: 0x9e37_79b9_7f4a_7c15,
            line: Vec::new(),
            read: 0,
        }
    }

    /// Marsaglia's xorshift: names and amounts need no better chance.
    const fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    fn next_line(&mut self) -> io::Result<()> {
        let (sender, recipient, amount) = (self.next(), self.next(), self.next());
        self.line.clear();
        self.read = 0;
        self.left -= 1;
        // Names as long as the tutorial's node ids, and both kinds of number.
        write!(
            self.line,
            "{{\"sender\": \"{sender:016x}{recipient:016x}\", \"recipient\": \"account-{}\", ",
            recipient % 1_000_000
        )?;
        if amount % 4 == 0 {
            writeln!(
                self.line,
                "\"amount\": {}.{}}}",
                amount % 10_007,
                amount % 9 + 1
            )
        } else {
            writeln!(self.line, "\"amount\": {}}}", amount % 1_000_003)
        }
    }
}

impl Read for SampleQueue {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            if self.read == self.line.len() {
                if self.left == 0 {
                    break;
                }
                self.next_line()?;
            }
            let count = (buffer.len() - filled).min(self.line.len() - self.read);
            buffer[filled..][..count].copy_from_slice(&self.line[self.read..][..count]);
            filled += count;
            self.read += count;
        }
        Ok(filled)
    }
}

/// Copies JSON without the white space between its parts: of a chain that
/// fourzero wrote, this makes what Flask sends for it, compact and with sorted
/// keys.
///
/// ```
/// let mut compacted = Vec::new();
/// fourzero::bench::compact(&br#"{"a b": [1, "c, \" d"]}"#[..], &mut compacted)?;
/// assert_eq!(compacted, br#"{"a b":[1,"c, \" d"]}"#);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// If reading or writing fails.
pub fn compact(mut json: impl BufRead, mut out: impl Write) -> io::Result<()> {
    let (mut in_string, mut is_escaped) = (false, false);
    let mut kept = Vec::new();
    loop {
        let text = json.fill_buf()?;
        if text.is_empty() {
            return out.flush();
        }
        kept.clear();
        for &byte in text {
            if in_string {
                let ends = byte == b'"' && !is_escaped;
                is_escaped = byte == b'\\' && !is_escaped;
                in_string = !ends;
            } else if byte.is_ascii_whitespace() {
                continue;
            } else {
                in_string = byte == b'"';
            }
            kept.push(byte);
        }
        let count = text.len();
        json.consume(count);
        out.write_all(&kept)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_queue_has_its_transactions_however_it_is_read() {
        let whole = io::read_to_string(SampleQueue::new(1_000)).unwrap();
        assert_eq!(whole.lines().count(), 1_000);
        for line in whole.lines() {
            let transaction: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(transaction.as_object().unwrap().len(), 3, "{line}");
        }
        let mut piecemeal = Vec::new();
        let mut queue = SampleQueue::new(1_000);
        let mut buffer = [0; 7];
        while let count @ 1.. = queue.read(&mut buffer).unwrap() {
            piecemeal.extend_from_slice(&buffer[..count]);
        }
        assert_eq!(piecemeal, whole.as_bytes());
    }

    #[test]
    fn compact_text_does_not_depend_on_where_the_reader_cuts() {
        let json = br#" { "k\\": "a \"b\" , c" , "l" : [ 1 , 2.5 ] } "#;
        for size in 1..json.len() {
            let mut out = Vec::new();
            compact(io::BufReader::with_capacity(size, &json[..]), &mut out).unwrap();
            assert_eq!(
                String::from_utf8(out).unwrap(),
                r#"{"k\\":"a \"b\" , c","l":[1,2.5]}"#
            );
        }
    }
}
