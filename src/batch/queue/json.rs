//! Queues in JSON: lines, or one array.

use std::io::Read;

use super::{Item, KEPT_BYTES, MAX_BLOCK_BYTES, QueueError};
use crate::chain::json::{
    Advance, JsonStream, Position, StreamError, SyntaxErrorKind, Transcoder, View,
};
use crate::chain::{LEVELS_ABOVE, Strictness, TransactionError, TransactionLayout, Transactions};

/// See the [module](self).
pub(super) struct JsonQueue<R> {
    stream: JsonStream<R>,
    state: State,
    transcoder: Transcoder,
    layout: TransactionLayout,
    /// Canonical text at work.
    text: Vec<u8>,
    /// Where the last value starts.
    last: Position,
}

enum State {
    /// Values one after another, as in JSON Lines.
    Lines,
    /// Inside an array that is the whole file.
    Array {
        is_first: bool,
    },
    Ended,
}

impl<R: Read> JsonQueue<R> {
    /// `stream` is at a `{` or a `[`.
    ///
    /// A file that starts with an array is that array if nothing follows it;
    /// otherwise its first line is a block of its own. An array that is larger
    /// than a block may be is taken for the whole file without looking
    /// further, so that it need not fit in memory.
    pub(super) fn new(mut stream: JsonStream<R>) -> Result<Self, QueueError> {
        let state = if stream.peek()? == Some(b'[') {
            let position = stream.position();
            let length = stream
                .value_length()
                .map_err(|error| without_end(error, position, b'['))?;
            let is_whole_file = match length {
                Some(length) => !stream.has_more_after(length)?,
                None => true,
            };
            if is_whole_file {
                stream.bump();
                State::Array { is_first: true }
            } else {
                State::Lines
            }
        } else {
            State::Lines
        };
        Ok(Self {
            stream,
            state,
            transcoder: Transcoder::default(),
            layout: TransactionLayout::default(),
            text: Vec::new(),
            last: Position::START,
        })
    }

    /// The line in which the last value starts.
    pub(super) const fn line(&self) -> u64 {
        self.last.line
    }

    /// Appends the next transaction to `pending`, or returns a whole block.
    pub(super) fn next(
        &mut self,
        pending: &mut Transactions,
        strictness: Strictness,
    ) -> Result<Option<Item>, QueueError> {
        match self.state {
            State::Ended => return Ok(None),
            State::Lines => {
                if self.stream.peek()?.is_none() {
                    self.state = State::Ended;
                    return Ok(None);
                }
            }
            State::Array { is_first } => match (self.stream.peek()?, is_first) {
                (Some(b']'), _) => {
                    self.stream.bump();
                    if self.stream.peek()?.is_some() {
                        return Err(self.stream.unexpected("the end of the file").into());
                    }
                    self.state = State::Ended;
                    return Ok(None);
                }
                (Some(_), true) => self.state = State::Array { is_first: false },
                (Some(b','), false) => {
                    self.stream.bump();
                    if let Some(b']') | None = self.stream.peek()? {
                        return Err(self.stream.unexpected("a transaction").into());
                    }
                }
                _ => return Err(self.stream.unexpected("',' or ']'").into()),
            },
        }
        let position = self.stream.position();
        self.last = position;
        if let Some(length) = pending
            .push_recognized(self.stream.unread(), strictness, &mut self.layout)
            .map_err(|problem| QueueError::Transaction {
                position,
                place: None,
                problem,
            })?
        {
            self.stream.bump_plain(length);
            return within_limit(pending, position).map(|()| Some(Item::Transaction));
        }
        let first = self.stream.unread().first().copied().unwrap_or(0);
        let raw = self
            .stream
            .value()
            .map_err(|error| without_end(error, position, first))?;
        let misread = |place: Option<usize>| {
            move |error: TransactionError| match error {
                TransactionError::Syntax(error) => {
                    started_at(StreamError::inside(raw, position, error), position)
                }
                TransactionError::Problem(problem) => QueueError::Transaction {
                    position,
                    place,
                    problem,
                },
            }
        };
        if raw.starts_with(b"[") && matches!(self.state, State::Lines) {
            self.text.clear();
            self.transcoder
                .transcode_nested(raw, LEVELS_ABOVE - 1, &mut self.text)
                .map_err(|error| misread(None)(error.into()))?;
            let mut block = Transactions::new();
            for (place, element) in (1..).zip(View::of(&self.text).elements()) {
                block
                    .push_view(element, strictness)
                    .map_err(|problem| misread(Some(place))(problem.into()))?;
            }
            self.shrink();
            within_limit(&block, position)?;
            return Ok(Some(Item::Block(block)));
        }
        pending
            .push_raw(raw, strictness, &mut self.transcoder, &mut self.text)
            .map_err(misread(None))?;
        self.shrink();
        within_limit(pending, position)?;
        Ok(Some(Item::Transaction))
    }

    /// Appends transactions to `pending` until there are `most`, or comes one
    /// in an unusual spelling or an array. Says nothing about that one, and
    /// takes nothing of it: the ordinary way is to decide.
    pub(super) fn take_plain_lines(
        &mut self,
        pending: &mut Transactions,
        most: usize,
        strictness: Strictness,
    ) {
        if !matches!(self.state, State::Lines) {
            return;
        }
        let text = self.stream.unread();
        let (mut taken, mut lines, mut line_start) = (0, 0, 0);
        // All that is there, written with more spaces, must fit.
        let room = MAX_BLOCK_BYTES.saturating_sub(2 * text.len());
        while pending.count() < most && pending.text_bytes() < room {
            if text.get(taken) == Some(&b'\n') {
                taken += 1;
                lines += 1;
                line_start = taken;
            }
            let rest = &text[taken..];
            match pending.push_recognized(rest, strictness, &mut self.layout) {
                Ok(Some(length)) => taken += length,
                _ => break,
            }
        }
        let advance = Advance::over_ascii(lines, taken - line_start);
        self.stream.bump_by(taken, advance);
    }

    /// Gives back the memory that one huge value took.
    fn shrink(&mut self) {
        self.text.clear();
        self.text.shrink_to(KEPT_BYTES);
        self.transcoder.shrink();
    }
}

/// The error for a value that starts with `first` at `position`. Where the
/// text ends in it, the text may go on for long behind what is missing: the
/// place to look at is its start.
fn without_end(error: StreamError, position: Position, first: u8) -> QueueError {
    let what = match first {
        b'{' => "object",
        b'[' => "array",
        _ => return error.into(),
    };
    match error {
        StreamError::Syntax {
            kind: SyntaxErrorKind::UnexpectedEnd { .. },
            ..
        } => QueueError::NoEnd { position, what },
        error => error.into(),
    }
}

/// The error inside a value that starts at `start`.
fn started_at(error: StreamError, start: Position) -> QueueError {
    let mut error = error.into();
    if let QueueError::Syntax {
        position,
        start: known,
        ..
    } = &mut error
        && position.line > start.line
    {
        *known = Some(start);
    }
    error
}

fn within_limit(block: &Transactions, position: Position) -> Result<(), QueueError> {
    if block.text_bytes() > MAX_BLOCK_BYTES {
        return Err(match block.count() {
            1 => QueueError::ValueTooLarge { position },
            _ => QueueError::TooLarge { position },
        });
    }
    Ok(())
}
