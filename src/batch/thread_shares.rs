//! Divides the search threads among chains that are mined at the same time.
//!
//! While there are at least as many chains as threads, each chain has one
//! thread, which never has to wait for another. Once there are fewer chains,
//! the threads are divided again, and the last chain gets all of them.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::pow::{SearchError, Searcher};
use crate::sha256::KernelChoice;

/// The threads, and the numbers of the shares they are divided into now.
#[derive(Debug)]
pub(super) struct ThreadShares {
    threads: NonZeroUsize,
    kernel: KernelChoice,
    numbers: Mutex<Vec<usize>>,
}

/// One share of the threads. It returns to the others when it is dropped.
#[derive(Debug)]
pub(super) struct ThreadShare<'a> {
    shares: &'a ThreadShares,
    number: usize,
    searcher: Searcher,
    /// The threads asked for last. If the system refused, the searcher has
    /// fewer.
    asked: NonZeroUsize,
}

/// The threads that search for one chain.
#[derive(Debug)]
pub(super) enum SearchThreads<'a> {
    /// Always the same.
    Fixed(&'a Searcher),
    /// As many as the share has at the moment.
    Shared(ThreadShare<'a>),
}

impl ThreadShares {
    /// Divides `threads` into `count` shares, numbered from 0. Each must be
    /// taken.
    pub(super) fn new(threads: NonZeroUsize, kernel: KernelChoice, count: usize) -> Self {
        Self {
            threads,
            kernel,
            numbers: Mutex::new((0..count).collect()),
        }
    }

    pub(super) fn take(&self, number: usize) -> Result<ThreadShare<'_>, SearchError> {
        let threads = self.threads_of(number);
        Ok(ThreadShare {
            shares: self,
            number,
            searcher: Searcher::new(threads, self.kernel)?,
            asked: threads,
        })
    }

    fn numbers(&self) -> MutexGuard<'_, Vec<usize>> {
        // A panic cannot leave the list half changed.
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The threads of one share, at least one. Two shares differ by one thread
    /// at most, and all shares together have all threads.
    fn threads_of(&self, number: usize) -> NonZeroUsize {
        let numbers = self.numbers();
        let place = numbers.iter().position(|other| *other == number);
        let threads = (self.threads.get() + place.unwrap_or(0)) / numbers.len().max(1);
        NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN)
    }

    fn give_back(&self, number: usize) {
        self.numbers().retain(|other| *other != number);
    }
}

impl ThreadShare<'_> {
    /// Starts the threads that the share has now, if that changed. If the system
    /// refuses, the share keeps its old threads, which work as well.
    fn update(
        &mut self,
        start: impl FnOnce(NonZeroUsize) -> Result<Searcher, SearchError>,
    ) -> Result<(), SearchError> {
        let threads = self.shares.threads_of(self.number);
        if threads == self.asked {
            return Ok(());
        }
        self.asked = threads;
        match start(threads) {
            Ok(searcher) => self.searcher = searcher,
            Err(SearchError::Threads { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl Drop for ThreadShare<'_> {
    fn drop(&mut self) {
        self.shares.give_back(self.number);
    }
}

impl SearchThreads<'_> {
    /// The searcher for the next proof.
    pub(super) fn searcher(&mut self) -> Result<&Searcher, SearchError> {
        match self {
            Self::Fixed(searcher) => Ok(searcher),
            Self::Shared(share) => {
                let kernel = share.shares.kernel;
                share.update(|threads| Searcher::new(threads, kernel))?;
                Ok(&share.searcher)
            }
        }
    }

    /// The number of threads that searched the last proof.
    pub(super) fn count(&self) -> NonZeroUsize {
        match self {
            Self::Fixed(searcher) => searcher.threads(),
            Self::Shared(share) => share.searcher.threads(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

    #[test]
    fn all_threads_are_shared_out_whichever_chain_ends() {
        for threads in 1..20 {
            for count in 1..=threads {
                let whole = NonZeroUsize::new(threads).unwrap();
                let shares = ThreadShares::new(whole, KernelChoice::Measured, count);
                let mut left: Vec<_> = (0..count).collect();
                while !left.is_empty() {
                    let sizes = left.iter().map(|number| shares.threads_of(*number).get());
                    assert_eq!(sizes.sum::<usize>(), threads);
                    shares.give_back(left.remove(left.len() / 2));
                }
            }
        }
    }

    #[test]
    fn threads_of_a_finished_chain_go_to_the_others() {
        let shares = ThreadShares::new(TWO, KernelChoice::Measured, 2);
        let first = shares.take(0).unwrap();
        let mut threads = SearchThreads::Shared(shares.take(1).unwrap());
        assert_eq!(threads.searcher().unwrap().threads(), NonZeroUsize::MIN);
        drop(first);
        assert_eq!(threads.searcher().unwrap().threads(), TWO);
        assert_eq!(threads.count(), TWO);
    }

    #[test]
    fn refused_threads_are_asked_for_once() {
        let shares = ThreadShares::new(TWO, KernelChoice::Measured, 2);
        let first = shares.take(0).unwrap();
        let mut second = shares.take(1).unwrap();
        drop(first);
        let refuse = |threads| {
            let source = io::ErrorKind::WouldBlock.into();
            Err(SearchError::Threads { threads, source })
        };
        second.update(refuse).unwrap();
        assert_eq!(second.searcher.threads(), NonZeroUsize::MIN);
        second
            .update(|_| panic!("they are asked for again"))
            .unwrap();
    }
}
