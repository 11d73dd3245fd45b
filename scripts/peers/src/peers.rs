//! Rust libraries, called in this process.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use fourzero::pow::{Control, Nonce, NonceRange, Searcher, Target, Template};
use fourzero::sha256::{Kernel, KernelChoice, Variant};
use pow_buster::message::{DoubleBlockMessage, SingleBlockMessage};
use pow_buster::solver::{CpuIDToken, SOLVE_TYPE_MASK, Solver, avx512, sha_ni};
use sha2::{Digest, Sha256};

use crate::contender::{Contender, FIRST_NONCE, Message};

/// The name of a program that does not run here, and the reason.
pub type Missing = (String, String);

pub type Found = Result<Box<dyn Contender>, Missing>;

/// The name of fourzero when it chooses the kernel itself. Its names with a
/// fixed kernel start with the same word.
pub const DEFAULT: &str = "fourzero";

pub fn all() -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    let variants = Kernel::available().into_iter().flat_map(Kernel::variants);
    let choices = variants
        // The same as the plain loop.
        .filter(|variant| variant.name() != "sha2")
        .map(KernelChoice::Variant);
    for choice in [KernelChoice::Measured].into_iter().chain(choices) {
        all.push(Ok(Box::new(Fourzero(searcher(choice)))));
    }
    for name in Kernel::missing() {
        all.push(Err((
            format!("{DEFAULT} {name}"),
            "this CPU lacks the instructions".to_owned(),
        )));
    }
    all.push(if_supported::<avx512::RequiredFeatures>(PowBuster {
        name: "pow-buster 0.2 AVX-512",
        one_block: limited::<SingleBlockMessage, avx512::SingleBlockSolver>,
        two_blocks: limited::<DoubleBlockMessage, avx512::DoubleBlockSolver>,
    }));
    all.push(if_supported::<sha_ni::RequiredFeatures>(PowBuster {
        name: "pow-buster 0.2 SHA-NI",
        one_block: limited::<SingleBlockMessage, sha_ni::SingleBlockSolver>,
        two_blocks: limited::<DoubleBlockMessage, sha_ni::DoubleBlockSolver>,
    }));
    all.push(Ok(Box::new(Sha2Loop)));
    all
}

fn searcher(choice: KernelChoice) -> Searcher {
    Searcher::new(NonZeroUsize::MIN, choice).expect("one thread starts")
}

/// The kernel that fourzero chooses. It measures once per process.
pub fn chosen(message: Message) -> Variant {
    searcher(KernelChoice::Measured).variant_for(&template(message), Nonce(FIRST_NONCE))
}

fn template(message: Message) -> Template {
    Template::new(message.prefix(), message.suffix())
}

struct Fourzero(Searcher);

impl Contender for Fourzero {
    fn name(&self) -> String {
        match self.0.choice() {
            KernelChoice::Measured => DEFAULT.to_owned(),
            choice => format!("{DEFAULT} {choice}"),
        }
    }

    fn takes(&self, _: Message) -> bool {
        true
    }

    fn solve(&mut self, message: Message) -> u64 {
        self.search(
            message,
            Target::FOUR_ZEROS,
            NonceRange::starting_at(Nonce(FIRST_NONCE)),
        )
        .expect("one of 2^63 nonces is a hit")
    }

    fn run(&mut self, message: Message, nonces: u64) -> Duration {
        let unreachable = Target::from_bits(200).expect("within 256 bits");
        let range = NonceRange::new(Nonce(FIRST_NONCE), Nonce(FIRST_NONCE + nonces));
        let start = Instant::now();
        assert_eq!(self.search(message, unreachable, range), None);
        start.elapsed()
    }
}

impl Fourzero {
    fn search(&self, message: Message, target: Target, range: NonceRange) -> Option<u64> {
        let outcome = self
            .0
            .find(&template(message), target, range, &Control::new());
        outcome
            .expect("nothing interrupts it")
            .hit
            .map(|hit| hit.nonce.0)
    }
}

/// Its solvers choose the upper digits of the nonces themselves and vary nine
/// digits. Each search needs a new solver; making it is not timed.
struct PowBuster {
    name: &'static str,
    one_block: fn(&str, u64) -> Option<Box<dyn Limited>>,
    two_blocks: fn(&str, u64) -> Option<Box<dyn Limited>>,
}

/// A pow-buster solver for one prefix, with a limit of nonces.
trait Limited {
    /// A nonce whose digest has no bit of the mask in its first 64 bits.
    fn solve_mask(&mut self, mask: u64) -> Option<u64>;

    fn attempted(&self) -> u64;
}

impl<S: Solver> Limited for S {
    fn solve_mask(&mut self, mask: u64) -> Option<u64> {
        self.solve::<SOLVE_TYPE_MASK>(0, mask)
            .map(|(nonce, _)| nonce)
    }

    fn attempted(&self) -> u64 {
        self.get_attempted_nonces()
    }
}

/// How a message is made from a prefix.
trait FromPrefix: Sized {
    fn from_prefix(prefix: &[u8]) -> Option<Self>;
}

impl FromPrefix for SingleBlockMessage {
    fn from_prefix(prefix: &[u8]) -> Option<Self> {
        Self::new(prefix, 0)
    }
}

impl FromPrefix for DoubleBlockMessage {
    fn from_prefix(prefix: &[u8]) -> Option<Self> {
        Self::new(prefix, 0)
    }
}

fn limited<M: FromPrefix, S: Solver + From<M> + 'static>(
    prefix: &str,
    limit: u64,
) -> Option<Box<dyn Limited>> {
    let mut solver = S::from(M::from_prefix(prefix.as_bytes())?);
    solver.set_limit(limit);
    Some(Box::new(solver))
}

fn if_supported<T: CpuIDToken>(contender: PowBuster) -> Found {
    if T::get() {
        Ok(Box::new(contender))
    } else {
        Err((
            contender.name.to_owned(),
            "this CPU lacks the instructions".to_owned(),
        ))
    }
}

impl PowBuster {
    fn solver(&self, message: Message, limit: u64) -> Option<Box<dyn Limited>> {
        match message {
            Message::LastProof => (self.one_block)(message.prefix(), limit),
            Message::LongPrefix => (self.two_blocks)(message.prefix(), limit),
            // It does not support suffixes.
            Message::LastHash => None,
        }
    }
}

impl Contender for PowBuster {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn takes(&self, message: Message) -> bool {
        self.solver(message, 1).is_some()
    }

    fn solve(&mut self, message: Message) -> u64 {
        let mut solver = self
            .solver(message, u64::MAX)
            .expect("it takes the message");
        solver
            .solve_mask(0xffff << 48)
            .expect("one of many million nonces is a hit")
    }

    fn run(&mut self, message: Message, nonces: u64) -> Duration {
        let mut solver = self.solver(message, nonces).expect("it takes the message");
        let start = Instant::now();
        // The mask has all bits, but the solver checks only 32 of them. So one
        // nonce in 2^32 is a hit, which ends the search early.
        black_box(solver.solve_mask(u64::MAX));
        let taken = start.elapsed();
        taken.mul_f64(nonces as f64 / solver.attempted() as f64)
    }
}

/// The simplest loop: format, hash, compare.
struct Sha2Loop;

impl Contender for Sha2Loop {
    fn name(&self) -> String {
        "plain loop, sha2 0.11".to_owned()
    }

    fn takes(&self, _: Message) -> bool {
        true
    }

    fn solve(&mut self, message: Message) -> u64 {
        (FIRST_NONCE..)
            .find(|nonce| message.digest(*nonce).starts_with(&[0, 0]))
            .expect("one of 2^63 nonces is a hit")
    }

    fn run(&mut self, message: Message, nonces: u64) -> Duration {
        use std::io::Write as _;

        let (prefix, suffix) = (message.prefix(), message.suffix());
        let mut text = Vec::with_capacity(256);
        let start = Instant::now();
        for nonce in FIRST_NONCE..FIRST_NONCE + nonces {
            text.clear();
            write!(text, "{prefix}{nonce}{suffix}").expect("memory takes it");
            assert!(!Sha256::digest(&text).starts_with(&[0; 8]));
        }
        start.elapsed()
    }
}
