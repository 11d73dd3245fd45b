//! Finds the smallest nonce for which the SHA-256 of `PREFIX` and the nonce in
//! decimal starts with a number of zero bits.
//!
//! ```sh
//! cargo run --release --locked --example search_prefix -- hello-world 24
//! ```

use std::env;
use std::thread;

use anyhow::Context as _;
use fourzero::pow::{Control, NonceRange, Searcher, Target, Template};
use fourzero::sha256::KernelChoice;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [prefix, bits] = arguments.as_slice() else {
        anyhow::bail!("usage: search_prefix PREFIX BITS");
    };
    let bits = bits.parse().context("BITS is not a number")?;
    let target = Target::from_bits(bits)?;
    let searcher = Searcher::new(thread::available_parallelism()?, KernelChoice::Measured)?;

    // The second argument of a template is the text after the nonce.
    let template = Template::new(prefix.as_bytes(), "");
    let outcome = searcher.find(&template, target, NonceRange::ALL, &Control::new())?;
    let hit = outcome.hit.context("no 64-bit nonce is an answer")?;

    println!("nonce  {}", hit.nonce);
    println!("digest {}", hit.digest);
    println!("hashes {}", outcome.hashes);
    println!("kernel {}", searcher.variant_for(&template, hit.nonce));
    Ok(())
}
