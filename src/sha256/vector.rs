//! The operations that the lane-generic body needs, on vectors of 32-bit words
//! with one lane for each message.

/// A vector of `u32` lanes with the operations of SHA-256.
///
/// The default methods use plain logic only; an instruction set with three-input
/// logic replaces them.
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
    /// `b ^ c` is the `a ^ b` of the round before, so the compiler computes only
    /// one of them.
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

/// Defines a vector of the numbered registers from what each method of
/// [`Vector`] does with one register.
///
/// Each register is a field: arrays or pairs take three times as long to
/// compile.
macro_rules! vector {
    (
        $(#[$attribute:meta])*
        $visibility:vis $words:ident: $lanes:literal lanes in each $register:ident of $numbers:tt;
        splat($word:ident) = $splat:expr;
        lanes_clear_of($found:ident, $mask:ident) = $clear:expr;
        $($method:ident$(<$bits:ident>)?($first:ident$(, $other:ident)*) = $value:expr;)*
    ) => {
        vector! { @struct $(#[$attribute])* $visibility $words $register $numbers }

        impl Vector for $words {
            const LANES: usize = size_of::<Self>() / size_of::<$register>() * $lanes;

            #[inline(always)]
            fn splat($word: u32) -> Self {
                vector!(@each $numbers () $splat)
            }

            #[inline(always)]
            fn load(words: &[u32]) -> Self {
                let words: &[u32; Self::LANES] = words.first_chunk().expect("columns are padded");
                // SAFETY: the array is as long as `Self`, and any bits are words.
                unsafe { words.as_ptr().cast::<Self>().read_unaligned() }
            }

            #[inline(always)]
            fn lanes_clear_of(self, $mask: Self) -> u64 {
                let $found = self;
                vector!(@lanes $lanes $numbers ($found $mask) $clear)
            }

            $(
                #[inline(always)]
                fn $method$(<const $bits: i32>)?(self$(, $other: Self)*) -> Self {
                    let $first = self;
                    vector!(@each $numbers ($first $($other)*) $value)
                }
            )*
        }
    };
    (
        @struct $(#[$attribute:meta])*
        $visibility:vis $words:ident $register:ident ($($number:tt)*)
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy)]
        #[repr(C)]
        $visibility struct $words($(vector!(@register $number $register)),*);
    };
    (@register $number:tt $register:ident) => { $register };
    (@each ($($number:tt)*) $operands:tt $value:expr) => {
        Self($(vector!(@one $number $operands $value)),*)
    };
    (@lanes $lanes:literal ($($number:tt)*) $operands:tt $value:expr) => {
        0 $(| u64::from(vector!(@one $number $operands $value)) << ($lanes * $number))*
    };
    (@one $number:tt ($($operand:ident)*) $value:expr) => {{
        $(let $operand = $operand.$number;)*
        // SAFETY: where a vector is handled, the CPU has its instructions.
        unsafe { $value }
    }};
}
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
pub(super) use vector;

/// The vector of targets without vector intrinsics here. Tests use it to run the
/// body with any number of lanes.
#[cfg(any(test, not(any(target_arch = "aarch64", target_arch = "x86_64"))))]
#[derive(Clone, Copy)]
pub(crate) struct Array<const LANES: usize>([u32; LANES]);

/// Methods of [`Array`]. In tests they stay functions: 32 lanes inlined some
/// thousand times would take minutes to compile.
#[cfg(any(test, not(any(target_arch = "aarch64", target_arch = "x86_64"))))]
impl<const LANES: usize> Array<LANES> {
    #[cfg_attr(test, inline(never))]
    #[cfg_attr(not(test), inline(always))]
    fn map(self, operation: impl Fn(u32) -> u32) -> Self {
        Self(self.0.map(operation))
    }

    #[cfg_attr(test, inline(never))]
    #[cfg_attr(not(test), inline(always))]
    fn zip(self, other: Self, operation: impl Fn(u32, u32) -> u32) -> Self {
        Self(std::array::from_fn(|lane| {
            operation(self.0[lane], other.0[lane])
        }))
    }
}

#[cfg(any(test, not(any(target_arch = "aarch64", target_arch = "x86_64"))))]
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
        self.map(|word| word >> BITS)
    }

    #[inline(always)]
    fn rotate_right<const BITS: i32>(self) -> Self {
        self.map(|word| word.rotate_right(BITS.cast_unsigned()))
    }

    #[inline(always)]
    fn lanes_clear_of(self, mask: Self) -> u64 {
        (0..LANES)
            .filter(|&lane| self.0[lane] & mask.0[lane] == 0)
            .fold(0, |lanes, lane| lanes | 1 << lane)
    }
}
