//! Replacements of the chain, a step at a time: whoever wants something else
//! written waits for a step, not for a hundred thousand blocks.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Writer;
use crate::node::store::{ReplaceError, Replacement, Replacing};
use crate::pow::Control;

/// Time for the blocks of a step: several times what its commit takes.
const STEP_TIME: Duration = Duration::from_millis(50);

/// A replacement, and who waits for it.
pub(super) struct Waiting {
    pub(super) replacing: Replacing,
    pub(super) control: Control,
    pub(super) reply: oneshot::Sender<Result<Replacement, ReplaceError>>,
}

impl Writer {
    /// Makes the next step of the oldest replacement, if there is one.
    pub(super) fn replace_further(&mut self) {
        let Some(mut waiting) = self.replacements.pop_front() else {
            return;
        };
        let stepped = self.step_and_commit(&mut waiting);
        self.is_replacing = matches!(stepped, Ok(None));
        match &stepped {
            Ok(_) => {
                self.gauges.is_failing.store(false, Ordering::Relaxed);
                self.gauges.commits.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                if let ReplaceError::Database(error) = error {
                    tracing::error!(%error, "replacing the chain failed");
                    self.gauges.is_failing.store(true, Ordering::Relaxed);
                }
                self.roll_back();
            }
        }
        self.publish();
        match stepped {
            Ok(None) => self.replacements.push_front(waiting),
            Ok(Some(replacement)) => drop(waiting.reply.send(Ok(replacement))),
            Err(error) => drop(waiting.reply.send(Err(error))),
        }
    }

    fn step_and_commit(
        &mut self,
        waiting: &mut Waiting,
    ) -> Result<Option<Replacement>, ReplaceError> {
        let Waiting {
            replacing, control, ..
        } = waiting;
        self.fold_beside()?;
        // What is ours is known only from here on.
        self.store.begin()?;
        let (theirs, ours) = (replacing.blocks(), self.store.tip().index);
        if !replacing.has_begun() && theirs <= ours {
            return Err(ReplaceError::NotLonger { theirs, ours });
        }
        let replaced = self.store.replace_step(replacing, STEP_TIME, control)?;
        self.store.commit()?;
        Ok(replaced)
    }
}
