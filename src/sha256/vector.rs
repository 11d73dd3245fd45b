//! What the lane-generic body asks of an instruction set: 32-bit words held
//! side by side, one for each message that is hashed at the same time.

/// A fixed number of `u32` lanes and the handful of operations that SHA-256
/// is made of.
///
/// The default methods are the formulas for a machine with plain logic only;
/// an instruction set with rotates or three-input logic replaces them.
pub(crate) trait Vector: Copy {
    /// Messages hashed at the same time, at most 64.
    const LANES: usize;

    /// `word` in every lane.
    fn splat(word: u32) -> Self;

    /// The first [`LANES`](Self::LANES) words of `words`.
    ///
    /// # Panics
    /// If there are fewer.
    fn load(words: &[u32]) -> Self;

    /// The sum modulo 2^32.
    fn add(self, other: Self) -> Self;

    fn and(self, other: Self) -> Self;

    fn xor(self, other: Self) -> Self;

    fn shift_right<const BITS: i32>(self) -> Self;

    fn rotate_right<const BITS: i32>(self) -> Self;

    /// The lanes in which no bit of `mask` is set, lane 0 as bit 0.
    fn lanes_clear_of(self, mask: Self) -> u64;

    #[inline(always)]
    fn xor3(self, second: Self, third: Self) -> Self {
        self.xor(second).xor(third)
    }

    /// Ch of FIPS 180-4: the bits of `f` where `self` is one, else of `g`.
    #[inline(always)]
    fn choose(self, f: Self, g: Self) -> Self {
        g.xor(self.and(f.xor(g)))
    }

    /// Maj of FIPS 180-4.
    ///
    /// `b ^ c` is the `a ^ b` of the round before, so the compiler computes
    /// one of the two only.
    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        b.xor(self.xor(b).and(b.xor(c)))
    }

    /// Σ0 of FIPS 180-4.
    #[inline(always)]
    fn big_sigma0(self) -> Self {
        self.rotate_right::<2>()
            .xor3(self.rotate_right::<13>(), self.rotate_right::<22>())
    }

    /// Σ1 of FIPS 180-4.
    #[inline(always)]
    fn big_sigma1(self) -> Self {
        self.rotate_right::<6>()
            .xor3(self.rotate_right::<11>(), self.rotate_right::<25>())
    }

    /// σ0 of FIPS 180-4.
    #[inline(always)]
    fn small_sigma0(self) -> Self {
        self.rotate_right::<7>()
            .xor3(self.rotate_right::<18>(), self.shift_right::<3>())
    }

    /// σ1 of FIPS 180-4.
    #[inline(always)]
    fn small_sigma1(self) -> Self {
        self.rotate_right::<17>()
            .xor3(self.rotate_right::<19>(), self.shift_right::<10>())
    }
}

/// Two vectors as one of twice the lanes: two independent streams, interleaved
/// operation by operation.
///
/// Each round of SHA-256 waits for the one before it; the second stream fills
/// the gaps where one alone is bound by latency and registers allow for two.
#[derive(Clone, Copy)]
pub(crate) struct Pair<V>(V, V);

impl<V: Vector> Vector for Pair<V> {
    const LANES: usize = 2 * V::LANES;

    #[inline(always)]
    fn splat(word: u32) -> Self {
        Self(V::splat(word), V::splat(word))
    }

    #[inline(always)]
    fn load(words: &[u32]) -> Self {
        Self(V::load(words), V::load(&words[V::LANES..]))
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0.add(other.0), self.1.add(other.1))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(self.0.and(other.0), self.1.and(other.1))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(self.0.xor(other.0), self.1.xor(other.1))
    }

    #[inline(always)]
    fn shift_right<const BITS: i32>(self) -> Self {
        Self(self.0.shift_right::<BITS>(), self.1.shift_right::<BITS>())
    }

    #[inline(always)]
    fn rotate_right<const BITS: i32>(self) -> Self {
        Self(self.0.rotate_right::<BITS>(), self.1.rotate_right::<BITS>())
    }

    #[inline(always)]
    fn lanes_clear_of(self, mask: Self) -> u64 {
        self.0.lanes_clear_of(mask.0) | self.1.lanes_clear_of(mask.1) << V::LANES
    }

    #[inline(always)]
    fn xor3(self, second: Self, third: Self) -> Self {
        Self(
            self.0.xor3(second.0, third.0),
            self.1.xor3(second.1, third.1),
        )
    }

    #[inline(always)]
    fn choose(self, f: Self, g: Self) -> Self {
        Self(self.0.choose(f.0, g.0), self.1.choose(f.1, g.1))
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        Self(self.0.majority(b.0, c.0), self.1.majority(b.1, c.1))
    }
}

/// Plain arrays: the vector of a target without one of its own, and the
/// software stand-in that lets any CPU test the body at any number of lanes.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[derive(Clone, Copy)]
pub(crate) struct Array<const LANES: usize>([u32; LANES]);

#[cfg(any(test, not(target_arch = "x86_64")))]
impl<const LANES: usize> Array<LANES> {
    #[inline(always)]
    fn zip(self, other: Self, operation: impl Fn(u32, u32) -> u32) -> Self {
        Self(std::array::from_fn(|lane| {
            operation(self.0[lane], other.0[lane])
        }))
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
impl<const LANES: usize> Vector for Array<LANES> {
    const LANES: usize = LANES;

    #[inline(always)]
    fn splat(word: u32) -> Self {
        Self([word; LANES])
    }

    #[inline(always)]
    fn load(words: &[u32]) -> Self {
        Self(*words.first_chunk().expect("columns are padded"))
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, u32::wrapping_add)
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self.zip(other, |left, right| left & right)
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self.zip(other, |left, right| left ^ right)
    }

    #[inline(always)]
    fn shift_right<const BITS: i32>(self) -> Self {
        Self(self.0.map(|word| word >> BITS))
    }

    #[inline(always)]
    fn rotate_right<const BITS: i32>(self) -> Self {
        Self(self.0.map(|word| word.rotate_right(BITS.cast_unsigned())))
    }

    #[inline(always)]
    fn lanes_clear_of(self, mask: Self) -> u64 {
        (0..LANES)
            .filter(|&lane| self.0[lane] & mask.0[lane] == 0)
            .fold(0, |lanes, lane| lanes | 1 << lane)
    }
}
