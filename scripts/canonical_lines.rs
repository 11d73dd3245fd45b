//! Canonical JSON text, line by line: what `canonical_oracle.py` compares
//! with CPython.
//!
//! Every line of stdin is one text, in hexadecimal because a text may hold
//! line breaks and bytes that are not UTF-8. For each, one line goes to
//! stdout: its canonical text, or `error: ` and why there is none. No
//! canonical text starts that way.

use std::io::{self, BufRead as _, BufWriter, Write as _};

use anyhow::Context as _;
use fourzero::chain::json::canonical;

fn main() -> anyhow::Result<()> {
    // Buffered across lines; a panic unwinds through it, so the number of
    // lines written still tells which text it was.
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
