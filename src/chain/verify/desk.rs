//! Where the threads take batches, and bring back what they found.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::line::{Line, Next};

/// A [`Line`] for many threads. One at a time reads for itself or brings
/// something back; all others check.
pub(super) struct Desk<'a> {
    line: Mutex<Line<'a>>,
    /// Something was brought back, or all is over.
    changed: Condvar,
}

impl<'a> Desk<'a> {
    pub(super) const fn new(line: Line<'a>) -> Self {
        Self {
            line: Mutex::new(line),
            changed: Condvar::new(),
        }
    }

    /// Checks batches on this thread until there are no more.
    pub(super) fn work(&self) {
        self.or_give_up(|| self.work_to_the_end());
    }

    /// A thread that panics does not bring its batch back: all others would
    /// wait for it.
    fn or_give_up(&self, work: impl FnOnce()) {
        if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(work)) {
            self.lock().give_up();
            self.changed.notify_all();
            panic::resume_unwind(panic);
        }
    }

    fn work_to_the_end(&self) {
        let mut line = self.lock();
        loop {
            match line.next() {
                Next::Task(mut task) => {
                    let (file, options) = (line.file(), line.options);
                    drop(line);
                    task.run(file, options);
                    line = self.lock();
                    line.bring_back(*task);
                }
                Next::MakeRoom(mut worker) => {
                    drop(line);
                    worker.batch.make_room();
                    line = self.lock();
                    line.give_back(*worker);
                }
                Next::Wait => {
                    let waited = self.changed.wait(line);
                    line = waited.unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
                Next::End => break,
            }
            self.changed.notify_all();
        }
        self.changed.notify_all();
    }

    pub(super) fn into_line(self) -> Line<'a> {
        self.line
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// After a panic, the line was given up.
    fn lock(&self) -> MutexGuard<'_, Line<'a>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};
    use std::num::NonZeroUsize;
    use std::thread;

    use super::*;
    use crate::chain::file::Input;
    use crate::chain::{Verifier, VerifyError, VerifyOptions};
    use crate::pow::Control;

    /// Gives what is there, then fails once.
    struct Failing<'a>(&'a [u8], bool);

    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() && !std::mem::replace(&mut self.1, true) {
                return Err(io::Error::other("the disk is gone"));
            }
            self.0.read(buffer)
        }
    }

    /// The text of many blocks, enough for several batches. They do not
    /// follow each other, which is a fault but no error.
    fn lines() -> String {
        let block = |index: u64| {
            format!(
                "{{\"index\": {index}, \"previous_hash\": \"1\", \"proof\": 100, \
                 \"timestamp\": 0.5, \"transactions\": []}}\n"
            )
        };
        (1..=20_000).map(block).collect()
    }

    #[test]
    fn a_batch_that_is_lost_in_a_panic_is_not_waited_for() {
        let (options, control, text) = (VerifyOptions::default(), Control::new(), lines());
        let input = Input::Stream(Box::new(text.as_bytes()));
        let desk = Desk::new(Line::new(input, 4, &options, &control));
        thread::scope(|scope| {
            let panicking = scope.spawn(|| {
                desk.or_give_up(|| {
                    let _lost = desk.lock().next();
                    scope.spawn(|| desk.work());
                    panic!("a bug");
                });
            });
            assert!(panicking.join().is_err());
        });
        assert!(desk.into_line().into_report().is_err());
    }

    #[test]
    fn what_stands_before_an_error_of_the_source_is_judged_first() {
        let text = lines();
        let middle = text.len() / 2;
        let broken = text.clone().split_off(middle).replacen(':', "~", 1);
        let broken = text[..middle].to_owned() + &broken;
        for threads in [1, 2, 3] {
            let verifier = Verifier::new(NonZeroUsize::new(threads).unwrap()).unwrap();
            let error = |text: &str| {
                let source = Failing(text.as_bytes(), false);
                match verifier.verify(source, &VerifyOptions::default(), &Control::new()) {
                    Err(VerifyError::Read(error)) => error.to_string(),
                    other => panic!("{other:?}"),
                }
            };
            for _ in 0..20 {
                assert_eq!(error(&text), "the disk is gone");
                let message = error(&broken);
                assert!(message.contains("found '~'"), "{message}");
            }
        }
    }
}
