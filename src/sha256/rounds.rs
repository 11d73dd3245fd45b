//! The lane-generic body: the rounds of one block over any [`Vector`].
//!
//! The first half of a varying block is compiled once for each position of the
//! first varying word. The compiler then knows which words of the schedule
//! vary; the others cost one broadcast constant a round. In the second half
//! every word varies, so all positions share its code.
//!
//! All 64 rounds in one function for each position would double the time to
//! compile the library.
//!
//! Everything here is inlined into the `#[target_feature]` functions of the
//! instruction sets. So nothing here may call a function that the compiler may
//! leave out of line, such as `array::map` or `array::from_fn`: it would be
//! compiled without those instructions (`scripts/check-kernels.sh` looks for
//! such calls).

use super::constants::ROUND_CONSTANTS;
use super::scalar::HashState;
use super::schedule::{ConstantBlock, FirstBlock, HALF, contains, sources, varying_words};
use super::vector::Vector;

/// The eight working variables, `a` to `h`, of every lane.
pub(crate) type Lanes<V> = [V; 8];

/// A block between its halves.
#[derive(Clone, Copy)]
pub(crate) struct Halfway<V> {
    lanes: Lanes<V>,
    /// The latest 16 words of the message schedule, word `t` at `t % 16`.
    schedule: [V; 16],
}

impl<V: Vector> Halfway<V> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self {
            lanes: [V::splat(0); 8],
            schedule: [V::splat(0); 16],
        }
    }
}

/// One round: `$t1` is `h`, the round constant and the schedule word, summed.
macro_rules! round {
    ([$a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident] $t1:expr) => {
        let t1 = $t1.add($e.choose($f, $g)).add($e.big_sigma1());
        let t2 = $a.big_sigma0().add($a.majority($b, $c));
        $h = $g;
        $g = $f;
        $f = $e;
        $e = $d.add(t1);
        $d = $c;
        $c = $b;
        $b = $a;
        $a = t1.add(t2);
    };
}

/// The first half of the first varying block, of which `COUNT` words from
/// `FIRST` on vary by `varying`.
#[inline(always)]
pub(crate) fn first_half<V: Vector, const FIRST: usize, const COUNT: usize>(
    block: &FirstBlock,
    varying: &[V; 2],
) -> Halfway<V> {
    let constants = &block.constants;
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h]: Lanes<V> =
        splat_state(block.state_after);
    a = a.add(varying[0]);
    e = e.add(varying[0]);
    let mut schedule = [V::splat(0); 16];
    schedule[FIRST] = V::splat(constants.words[FIRST]).add(varying[0]);
    if const { COUNT == 2 } {
        schedule[FIRST + COUNT - 1] = V::splat(constants.words[FIRST + COUNT - 1]).add(varying[1]);
    }
    // Loops would stay loops, with the schedule in memory and every decision
    // made at run time.
    macro_rules! rounds {
        ($($t:literal)*) => {$(
            if const { comes_before(FIRST, $t) } {
                let mut t1;
                if const { h_is_constant(FIRST, $t) } {
                    t1 = V::splat(block.rounds_with_h[($t - FIRST - 1) & 3]);
                } else {
                    t1 = h.add(V::splat(constants.rounds[$t]));
                }
                if const { varies::<FIRST, COUNT>($t) } {
                    t1 = t1.add(schedule[$t % 16]);
                }
                round!([a b c d e f g h] t1);
            }
        )*};
    }
    macro_rules! rounds_with_schedule {
        ($($t:literal)*) => {$(
            let mut word;
            if const { varying_words(FIRST, COUNT) & sources($t) == sources($t) } {
                word = schedule[$t % 16];
            } else {
                word = V::splat(constants.words[$t]);
                if const { varies::<FIRST, COUNT>($t - 16) } {
                    word = word.add(schedule[$t % 16]);
                }
            }
            if const { varies::<FIRST, COUNT>($t - 7) } {
                word = word.add(schedule[($t - 7) % 16]);
            }
            if const { varies::<FIRST, COUNT>($t - 15) } {
                word = word.add(schedule[($t - 15) % 16].small_sigma0());
            }
            if const { varies::<FIRST, COUNT>($t - 2) } {
                word = word.add(schedule[($t - 2) % 16].small_sigma1());
            }
            schedule[$t % 16] = word;
            rounds!($t);
        )*};
    }
    rounds! { 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 }
    rounds_with_schedule! { 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 }
    Halfway {
        lanes: [a, b, c, d, e, f, g, h],
        schedule,
    }
}

const fn varies<const FIRST: usize, const COUNT: usize>(t: usize) -> bool {
    contains(varying_words(FIRST, COUNT), t)
}

const fn comes_before(earlier: usize, later: usize) -> bool {
    earlier < later
}

/// Whether `h` is constant in round `t`: round `first` changes `a` and `e`, and
/// `e` takes three rounds to become `h`.
const fn h_is_constant(first: usize, t: usize) -> bool {
    comes_before(first, t) && t <= first + 3
}

/// The second half of any block that varies. The caller adds the state before
/// the block.
#[inline(always)]
pub(crate) fn second_half<V: Vector>(halfway: &Halfway<V>) -> Lanes<V> {
    let Halfway {
        lanes: [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h],
        mut schedule,
    } = *halfway;
    macro_rules! rounds {
        ($constants:ident: $($t:literal)*) => {$(
            schedule[$t] = schedule[$t]
                .add(schedule[($t + 9) % 16])
                .add(schedule[($t + 1) % 16].small_sigma0())
                .add(schedule[($t + 14) % 16].small_sigma1());
            let t1 = h.add(V::splat($constants[$t])).add(schedule[$t]);
            round!([a b c d e f g h] t1);
        )*};
    }
    // After 16 rounds each variable and each word is back in its place.
    for constants in ROUND_CONSTANTS[HALF..].as_chunks::<16>().0 {
        rounds! { constants: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 }
    }
    [a, b, c, d, e, f, g, h]
}

/// Folds a block without a varying word into the state of every lane.
#[inline(always)]
pub(crate) fn constant_block<V: Vector>(lanes: &Lanes<V>, block: &ConstantBlock) -> Lanes<V> {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *lanes;
    // After eight rounds each variable is back in its register.
    for constants in block.rounds.as_chunks::<8>().0 {
        for constant in constants {
            round!([a b c d e f g h] h.add(V::splat(*constant)));
        }
    }
    add_states([a, b, c, d, e, f, g, h], *lanes)
}

#[inline(always)]
pub(crate) fn add_states<V: Vector>(left: Lanes<V>, right: Lanes<V>) -> Lanes<V> {
    let mut sum = left;
    for index in 0..8 {
        sum[index] = left[index].add(right[index]);
    }
    sum
}

/// The same state in every lane.
#[inline(always)]
pub(crate) fn splat_state<V: Vector>(state: HashState) -> Lanes<V> {
    let mut lanes = [V::splat(0); 8];
    for index in 0..8 {
        lanes[index] = V::splat(state[index]);
    }
    lanes
}
