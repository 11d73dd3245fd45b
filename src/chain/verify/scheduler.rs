//! Hands the batches of a chain to threads, and applies the results in order.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::batch::BatchCheck;
use super::result::BatchResult;
use super::{ReadError, Report, VerifyError, VerifyOptions};
use crate::chain::file::{Batch, ChainReader, Filled, Input, PositionalFile};
use crate::pow::Control;

/// A batch up to this size is always checked in parallel with others.
const SMALL_BYTES: usize = 1 << 20;
/// Larger batches are checked in parallel only while all batches in progress
/// total no more than this: a block's canonical text can be six times as long,
/// and its check needs more memory still.
const MAX_PARALLEL_BYTES: usize = 8 << 20;

/// A source that has given this many bytes is likely to fill a batch for each
/// thread.
const LONG_BYTES: u64 = 128 << 10;

pub(super) struct Scheduler<'a> {
    options: &'a VerifyOptions,
    /// The file from which threads read their own batches.
    file: Option<PositionalFile<'a>>,
    state: Mutex<Schedule<'a>>,
    /// A batch was returned, or the verdict is known.
    changed: Condvar,
}

struct Schedule<'a> {
    control: &'a Control,
    reader: ChainReader<Input<'a>>,
    result: BatchResult,
    /// A fixed number of batches circulates.
    idle: Vec<BatchCheck>,
    /// Checked batches that wait for an earlier one, or to be read again.
    checked: BTreeMap<u64, BatchCheck>,
    started: u64,
    /// Batches that were applied, or discarded after a wrong guess.
    applied: u64,
    bytes_in_progress: usize,
    /// Bytes of the source that `control` has counted.
    bytes_counted: u64,
    /// How reading ended; reported once every batch is applied.
    end: Option<Result<(), ReadError>>,
    verdict: Option<Result<(), VerifyError>>,
}

impl<'a> Scheduler<'a> {
    pub(super) fn new(
        input: Input<'a>,
        batches: usize,
        options: &'a VerifyOptions,
        control: &'a Control,
    ) -> Self {
        Self {
            options,
            file: input.file(),
            state: Mutex::new(Schedule {
                control,
                reader: ChainReader::new(input),
                result: BatchResult::default(),
                idle: (0..batches).map(|_| BatchCheck::default()).collect(),
                checked: BTreeMap::new(),
                started: 0,
                applied: 0,
                bytes_in_progress: 0,
                bytes_counted: 0,
                end: None,
                verdict: None,
            }),
            changed: Condvar::new(),
        }
    }

    /// Checks batches on this thread until the verdict is known.
    pub(super) fn work(&self) {
        self.or_cancel(|| {
            while let Some(mut batch) = self.take() {
                batch.run(self.file, self.options);
                self.put_back(batch);
            }
        });
    }

    /// Ends the work of all threads if this one panics: they would wait for its
    /// batch.
    fn or_cancel(&self, work: impl FnOnce()) {
        if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(work)) {
            self.lock().verdict = Some(Err(VerifyError::Cancelled));
            self.changed.notify_all();
            panic::resume_unwind(panic);
        }
    }

    /// The next batch to check, once there is one; `None` once the verdict is
    /// known.
    fn take(&self) -> Option<BatchCheck> {
        let mut state = self.lock();
        while state.verdict.is_none() {
            if self.file.is_none()
                && let Some(mut batch) = state.take_without_memory()
            {
                drop(state);
                batch.batch.make_room();
                state = self.lock();
                state.idle.push(batch);
                self.changed.notify_all();
                continue;
            }
            match state.next(self.options) {
                Ok(Some(batch)) => return Some(batch),
                Ok(None) if state.verdict.is_some() => {}
                Ok(None) => {
                    let waited = self.changed.wait(state);
                    state = waited.unwrap_or_else(PoisonError::into_inner);
                }
                Err(error) => state.verdict = Some(Err(error)),
            }
        }
        self.changed.notify_all();
        None
    }

    fn put_back(&self, batch: BatchCheck) {
        let mut state = self.lock();
        state.bytes_in_progress -= batch.batch.bytes();
        if let Err(error) = state.apply(batch, self.options) {
            state.verdict.get_or_insert(Err(error.into()));
        }
        self.changed.notify_all();
    }

    /// A thread that panicked has set the verdict, so the state is usable.
    fn lock(&self) -> MutexGuard<'_, Schedule<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn into_report(self) -> Result<Report, VerifyError> {
        let state = self.state.into_inner();
        let state = state.unwrap_or_else(PoisonError::into_inner);
        state.verdict.expect("the threads worked to the end")?;
        let format = state.reader.format();
        let format = format.expect("a chain without a format is an error");
        let stated_length = state.reader.stated_length();
        Ok(state.result.report(self.options, format, stated_length))
    }
}

impl Schedule<'_> {
    /// Reads the next batch. Returns `None` if that has to wait for a batch in
    /// progress, or if the verdict is known.
    fn next(&mut self, options: &VerifyOptions) -> Result<Option<BatchCheck>, VerifyError> {
        loop {
            if self.control.is_cancelled() {
                return Err(VerifyError::Cancelled);
            }
            if let Some(end) = self.end.take_if(|_| self.applied == self.started) {
                end?;
                self.verdict = Some(Ok(()));
            }
            let is_done = self.verdict.is_some() || self.end.is_some();
            if is_done || self.checked.contains_key(&self.applied) {
                return Ok(None);
            }
            let Some(mut batch) = self.idle.pop() else {
                return Ok(None);
            };
            let filled = self.reader.next_part(&mut batch.batch);
            // After a wrong guess, parts of a file are read twice.
            let read = self.reader.bytes_read().max(self.bytes_counted);
            self.control.add_bytes(read - self.bytes_counted);
            self.bytes_counted = read;
            if !matches!(filled, Ok(Filled::Batch)) {
                self.idle.push(batch);
                if matches!(filled, Ok(Filled::AfterGuesses)) {
                    return Ok(None);
                }
                self.end = Some(filled.map(drop));
                continue;
            }
            batch.number = self.started;
            self.started += 1;
            if self.is_too_large(&batch.batch) {
                batch.run(None, options);
                batch.batch.shrink();
                self.apply(batch, options)?;
            } else {
                self.bytes_in_progress += batch.batch.bytes();
                return Ok(Some(batch));
            }
        }
    }

    /// Whether to check the batch before anything else is read. Large blocks
    /// are checked one after another, which bounds the memory of all batches.
    fn is_too_large(&self, batch: &Batch) -> bool {
        let bytes = batch.text().len();
        let is_too_much = self.bytes_in_progress + bytes > MAX_PARALLEL_BYTES;
        !batch.is_guess() && (batch.is_large() || bytes > SMALL_BYTES && is_too_much)
    }

    /// An idle batch that lacks the memory for a guess. Allocating it takes
    /// longer than filling it, so the caller allocates it without the lock.
    fn take_without_memory(&mut self) -> Option<BatchCheck> {
        let is_long = self.reader.bytes_read() >= LONG_BYTES;
        let will_guess = self.end.is_none() && self.reader.will_guess();
        let lacks_memory = |batch: &mut BatchCheck| !batch.batch.has_room();
        (self.idle).pop_if(|batch| is_long && will_guess && lacks_memory(batch))
    }

    /// Takes back a checked batch, and applies all results that are next in
    /// order. Once every batch after a wrong guess is back, they are all
    /// returned to the reader.
    fn apply(&mut self, batch: BatchCheck, options: &VerifyOptions) -> Result<(), ReadError> {
        self.checked.insert(batch.number, batch);
        while let Some(mut batch) = self.checked.remove(&self.applied) {
            let next_index = self.result.blocks + 1;
            let result = batch.result.take().transpose()?;
            let Some(result) = result.filter(|result| result.first_index == next_index) else {
                self.checked.insert(self.applied, batch);
                if self.applied + self.checked.len() as u64 == self.started {
                    self.read_again();
                }
                break;
            };
            if let Some(advance) = result.advance {
                self.reader.confirm(result.blocks, advance);
            }
            self.control.add_blocks(result.blocks);
            self.control.add_hashes(result.hashes);
            self.result.append(result, options);
            self.idle.push(batch);
            self.applied += 1;
        }
        Ok(())
    }

    fn read_again(&mut self) {
        let batches = self.checked.values().map(|batch| &batch.batch);
        self.reader.take_back_parts(batches);
        let checked = std::mem::take(&mut self.checked);
        self.idle.extend(checked.into_values());
        self.applied = self.started;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};
    use std::num::NonZeroUsize;
    use std::thread;

    use super::*;
    use crate::chain::{Verifier, VerifyError, VerifyOptions};

    /// Returns the text, then fails once.
    struct FailsAfter<'a>(&'a [u8], bool);

    impl Read for FailsAfter<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() && !std::mem::replace(&mut self.1, true) {
                return Err(io::Error::other("the disk is gone"));
            }
            self.0.read(buffer)
        }
    }

    /// JSON Lines of several batches. The blocks do not follow each other,
    /// which is a fault but not an error.
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
    fn threads_do_not_wait_for_a_batch_lost_in_a_panic() {
        let (options, control, text) = (VerifyOptions::default(), Control::new(), lines());
        let input = Input::Stream(Box::new(text.as_bytes()));
        let scheduler = Scheduler::new(input, 4, &options, &control);
        thread::scope(|scope| {
            let panicking = scope.spawn(|| {
                scheduler.or_cancel(|| {
                    let _lost = scheduler.take();
                    scope.spawn(|| scheduler.work());
                    panic!("a bug");
                });
            });
            assert!(panicking.join().is_err());
        });
        assert!(scheduler.into_report().is_err());
    }

    #[test]
    fn text_before_an_error_of_the_source_is_checked_first() {
        let text = lines();
        let middle = text.len() / 2;
        let broken = text.clone().split_off(middle).replacen(':', "~", 1);
        let broken = text[..middle].to_owned() + &broken;
        for threads in [1, 2, 3] {
            let verifier = Verifier::new(NonZeroUsize::new(threads).unwrap()).unwrap();
            let error = |text: &str| {
                let source = FailsAfter(text.as_bytes(), false);
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
