//! Compares every kernel that this CPU can run with a loop over the `sha2` crate.

use std::num::NonZeroUsize;
use std::sync::LazyLock;

use fourzero::pow::{Control, Nonce, NonceRange, Searcher, Target, Template};
use fourzero::sha256::Kernel;
use sha2::Digest as _;

use crate::recipe::Recipe;

/// One and two threads for each variant.
static SEARCHERS: LazyLock<Vec<Searcher>> = LazyLock::new(|| {
    Kernel::available()
        .into_iter()
        .flat_map(Kernel::variants)
        .flat_map(|variant| [1, 2].map(|threads| (variant, NonZeroUsize::new(threads).unwrap())))
        .map(|(variant, threads)| Searcher::new(threads, variant.into()).unwrap())
        .collect()
});

/// The recipe: difficulty, start and length of the range, length of the
/// prefix; then the prefix, and the suffix.
pub fn kernels(data: &[u8]) {
    let recipe = &mut Recipe::new(data);
    // Few bits give many hits, so that finding the first is not by chance.
    let bits = 1 + recipe.below(12) as u16;
    let start = start(recipe);
    let count = recipe.word() % 1_500;
    let prefix = recipe.byte();
    let prefix = recipe.bytes(usize::from(prefix));
    let suffix = recipe.rest();
    let suffix = &suffix[..suffix.len().min(200)];

    let last = start.saturating_add(count as u64);
    // The range excludes its end, except for the last nonce.
    let (range, end) = if last == u64::MAX {
        (NonceRange::starting_at(Nonce(start)), 1 << 64)
    } else {
        (NonceRange::new(Nonce(start), Nonce(last)), u128::from(last))
    };
    let template = Template::new(prefix, suffix);
    let target = Target::from_bits(bits).unwrap();
    let expected = (u128::from(start)..end).find(|nonce| meets(prefix, *nonce, suffix, bits));

    for searcher in SEARCHERS.iter() {
        let control = Control::new();
        let outcome = searcher.find(&template, target, range, &control).unwrap();
        let found = outcome.hit.map(|hit| u128::from(hit.nonce.0));
        let who = (searcher.choice(), searcher.threads());
        assert_eq!(found, expected, "{who:?} from {start} to {end}");
        let needed = expected.map_or(end, |nonce| nonce + 1) - u128::from(start);
        assert_eq!(control.hashes(), outcome.hashes, "{who:?}");
        let hashes = u128::from(outcome.hashes);
        if searcher.threads().get() == 1 {
            assert_eq!(hashes, needed, "{who:?}");
        } else {
            assert!(
                hashes >= needed && hashes <= end - u128::from(start),
                "{who:?}"
            );
        }
        if let Some(hit) = outcome.hit {
            let digest = digest(prefix, hit.nonce.0.into(), suffix);
            assert_eq!(hit.digest.as_bytes()[..], digest[..], "{who:?}");
        }
    }
}

/// A start that is often just before a power of ten.
fn start(recipe: &mut Recipe<'_>) -> u64 {
    let kind = recipe.byte();
    if kind.is_multiple_of(2) {
        return recipe.long();
    }
    let below = recipe.word() as u64 % 2_000;
    let power = 10u64.checked_pow(u32::from(kind / 2) % 21);
    power.unwrap_or(u64::MAX).saturating_sub(below)
}

fn digest(
    prefix: &[u8],
    nonce: u128,
    suffix: &[u8],
) -> impl AsRef<[u8]> + std::ops::Deref<Target = [u8]> {
    let message = [prefix, nonce.to_string().as_bytes(), suffix].concat();
    sha2::Sha256::digest(message).to_vec()
}

fn meets(prefix: &[u8], nonce: u128, suffix: &[u8], bits: u16) -> bool {
    let digest = digest(prefix, nonce, suffix);
    let front = u16::from_be_bytes([digest[0], digest[1]]);
    front.leading_zeros() >= u32::from(bits)
}
