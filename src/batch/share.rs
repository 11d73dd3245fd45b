//! Sharing the cores among chains that are mined at the same time.
//!
//! Chains are independent of each other, and a chain alone on a core loses
//! nothing to waiting. So while there are as many chains as threads, each has
//! one; once there are fewer, the threads are dealt out anew, and the last
//! chain has them all.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::pow::{SearchError, Searcher};
use crate::sha256::KernelChoice;

/// Who is mining now, by the numbers of their seats.
#[derive(Debug)]
pub(super) struct Table {
    threads: NonZeroUsize,
    kernel: KernelChoice,
    seats: Mutex<Vec<usize>>,
}

/// A place at the table: takes part in the division until it is dropped.
#[derive(Debug)]
pub(super) struct Seat<'a> {
    table: &'a Table,
    number: usize,
    searcher: Searcher,
    /// Threads that were last asked for: more than the searcher has, if the
    /// system refused.
    asked: NonZeroUsize,
}

/// The threads that search for one chain.
#[derive(Debug)]
pub(super) enum Hands<'a> {
    /// Always the same.
    Fixed(&'a Searcher),
    /// As many as this seat has a right to.
    Shared(Seat<'a>),
}

impl Table {
    /// A table at which the seats from 0 to `seats` will be taken.
    pub(super) fn new(threads: NonZeroUsize, kernel: KernelChoice, seats: usize) -> Self {
        Self {
            threads,
            kernel,
            seats: Mutex::new((0..seats).collect()),
        }
    }

    /// Takes the seat of that number.
    pub(super) fn seat(&self, number: usize) -> Result<Seat<'_>, SearchError> {
        let threads = self.share(number);
        Ok(Seat {
            table: self,
            number,
            searcher: Searcher::new(threads, self.kernel)?,
            asked: threads,
        })
    }

    fn seats(&self) -> MutexGuard<'_, Vec<usize>> {
        // The list is sound even if another thread panicked beside it.
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Threads for one seat, at least one: the shares of all differ by one at
    /// most, and make up the whole if there are not more seats than threads.
    fn share(&self, number: usize) -> NonZeroUsize {
        let seats = self.seats();
        let place = seats.iter().position(|seat| *seat == number).unwrap_or(0);
        let share = (self.threads.get() + place) / seats.len().max(1);
        NonZeroUsize::new(share).unwrap_or(NonZeroUsize::MIN)
    }

    fn leave(&self, number: usize) {
        self.seats().retain(|seat| *seat != number);
    }
}

impl Seat<'_> {
    /// Takes the threads that this seat has a right to now. Where the system
    /// refuses them, it keeps those it has: its chain is mined well by them.
    fn deal(
        &mut self,
        new: impl FnOnce(NonZeroUsize) -> Result<Searcher, SearchError>,
    ) -> Result<(), SearchError> {
        let threads = self.table.share(self.number);
        if threads == self.asked {
            return Ok(());
        }
        self.asked = threads;
        match new(threads) {
            Ok(searcher) => self.searcher = searcher,
            Err(SearchError::Threads { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.table.leave(self.number);
    }
}

impl Hands<'_> {
    /// The searcher for the next proof.
    pub(super) fn searcher(&mut self) -> Result<&Searcher, SearchError> {
        match self {
            Self::Fixed(searcher) => Ok(searcher),
            Self::Shared(seat) => {
                let kernel = seat.table.kernel;
                seat.deal(|threads| Searcher::new(threads, kernel))?;
                Ok(&seat.searcher)
            }
        }
    }

    /// Threads it had for the last proof.
    pub(super) fn threads(&self) -> NonZeroUsize {
        match self {
            Self::Fixed(searcher) => searcher.threads(),
            Self::Shared(seat) => seat.searcher.threads(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn the_shares_make_up_the_whole_whoever_leaves() {
        for threads in 1..20 {
            for seats in 1..=threads {
                let whole = NonZeroUsize::new(threads).unwrap();
                let table = Table::new(whole, KernelChoice::Measured, seats);
                let mut left: Vec<_> = (0..seats).collect();
                while !left.is_empty() {
                    let shares = left.iter().map(|seat| table.share(*seat).get());
                    assert_eq!(shares.sum::<usize>(), threads);
                    let leaver = left.remove(left.len() / 2);
                    table.leave(leaver);
                }
            }
        }
    }

    const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

    #[test]
    fn who_stays_gets_the_threads_of_who_leaves() {
        let table = Table::new(TWO, KernelChoice::Measured, 2);
        let leaver = table.seat(0).unwrap();
        let mut hands = Hands::Shared(table.seat(1).unwrap());
        assert_eq!(hands.searcher().unwrap().threads(), NonZeroUsize::MIN);
        drop(leaver);
        assert_eq!(hands.searcher().unwrap().threads(), TWO);
        assert_eq!(hands.threads(), TWO);
    }

    #[test]
    fn threads_that_cannot_be_had_are_asked_for_once_and_done_without() {
        let table = Table::new(TWO, KernelChoice::Measured, 2);
        let leaver = table.seat(0).unwrap();
        let mut seat = table.seat(1).unwrap();
        drop(leaver);
        let refuse = |threads| {
            let source = io::ErrorKind::WouldBlock.into();
            Err(SearchError::Threads { threads, source })
        };
        seat.deal(refuse).unwrap();
        assert_eq!(seat.searcher.threads(), NonZeroUsize::MIN);
        seat.deal(|_| panic!("they are asked for again")).unwrap();
    }
}
