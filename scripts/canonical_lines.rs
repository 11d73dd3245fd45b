//! Writes the canonical text of each input line, for `canonical_oracle.py` to
//! compare with CPython.
//!
//! Every line of stdin is one JSON text in hexadecimal, because a text may
//! contain line breaks and bytes that are not UTF-8. For each, one line goes to
//! stdout: its canonical text, or `error: ` and the reason. No canonical text
//! starts like that.

use std::io::{self, BufRead as _, BufWriter, Write as _};

use anyhow::Context as _;
use fourzero::chain::json::canonical;

fn main() -> anyhow::Result<()> {
    // A panic flushes the buffer while unwinding, so the number of lines tells
    // which text caused it.
    let mut out = BufWriter::new(io::stdout().lock());
    for (index, line) in io::stdin().lock().lines().enumerate() {
        let text = hex::decode(line.context("cannot read stdin")?)
            .with_context(|| format!("line {}: this is not hexadecimal", index + 1))?;
        match canonical(&text) {
            Ok(written) => writeln!(out, "{written}"),
            Err(error) => writeln!(out, "error: {error}"),
        }
        .context("cannot write to stdout")?;
    }
    out.flush().context("cannot write to stdout")
}
