//! What the thread that writes is asked for, and what it answers.

use tokio::sync::oneshot;

use super::LedgerError;
use super::replacing::Waiting;
use crate::node::store::{Forged, NewTransaction};
use crate::pow::Nonce;
use crate::sha256::Digest;

pub(super) type Reply<T> = oneshot::Sender<Result<T, LedgerError>>;

pub(super) enum Command {
    Add(NewTransaction, Reply<u64>),
    Forge(Digest, Nonce, Reply<Forged>),
    Register(Vec<String>, Reply<Vec<String>>),
    Replace(Box<Waiting>),
    TryOut(oneshot::Sender<()>),
}

/// An answer that is sent once its change is on disk.
pub(super) enum Answer {
    Add(Reply<u64>, Result<u64, LedgerError>),
    Forge(Reply<Forged>, Box<Result<Forged, LedgerError>>),
    Register(Reply<Vec<String>>, Result<Vec<String>, LedgerError>),
}

/// What applying a command gave.
pub(super) enum Outcome {
    Added(u64),
    Forged(Box<Forged>),
    Registered(Vec<String>),
    Refused(LedgerError),
}

impl Command {
    /// Whether it has a transaction of its own.
    pub(super) const fn is_alone(&self) -> bool {
        matches!(self, Self::Replace(..) | Self::TryOut(_))
    }

    pub(super) fn answer(self, outcome: Outcome) -> Answer {
        match (self, outcome) {
            (Self::Add(_, reply), Outcome::Added(index)) => Answer::Add(reply, Ok(index)),
            (Self::Add(_, reply), Outcome::Refused(error)) => Answer::Add(reply, Err(error)),
            (Self::Forge(.., reply), Outcome::Forged(forged)) => {
                Answer::Forge(reply, Box::new(Ok(*forged)))
            }
            (Self::Forge(.., reply), Outcome::Refused(error)) => {
                Answer::Forge(reply, Box::new(Err(error)))
            }
            (Self::Register(_, reply), Outcome::Registered(peers)) => {
                Answer::Register(reply, Ok(peers))
            }
            (Self::Register(_, reply), Outcome::Refused(error)) => {
                Answer::Register(reply, Err(error))
            }
            _ => unreachable!("a command has an outcome of its own kind"),
        }
    }

    /// The answer to a command that was not, or not wholly, applied. It will
    /// be failed with its batch.
    pub(super) fn refuse(self, error: &rusqlite::Error) -> Answer {
        let error = LedgerError::Storage(error.to_string());
        match self {
            Self::Add(_, reply) => Answer::Add(reply, Err(error)),
            Self::Forge(.., reply) => Answer::Forge(reply, Box::new(Err(error))),
            Self::Register(_, reply) => Answer::Register(reply, Err(error)),
            Self::Replace(..) | Self::TryOut(_) => unreachable!("it is no part of a batch"),
        }
    }
}

impl Answer {
    // Whoever no longer listens has closed the connection.
    pub(super) fn send(self) {
        match self {
            Self::Add(reply, result) => drop(reply.send(result)),
            Self::Forge(reply, result) => drop(reply.send(*result)),
            Self::Register(reply, result) => drop(reply.send(result)),
        }
    }

    pub(super) fn fail(self, error: &LedgerError) {
        match self {
            Self::Add(reply, _) => drop(reply.send(Err(error.clone()))),
            Self::Forge(reply, _) => drop(reply.send(Err(error.clone()))),
            Self::Register(reply, _) => drop(reply.send(Err(error.clone()))),
        }
    }
}
