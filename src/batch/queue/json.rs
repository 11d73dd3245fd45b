//! Queues in JSON Lines, or in one JSON array.

use std::io::Read;

use super::other_object::{OtherObject, enter_list, leave_list};
use super::{KEPT_BYTES, MAX_BLOCK_BYTES, QueueError, QueueItem};
use crate::chain::json::{
    Advance, JsonStream, Position, StreamError, SyntaxErrorKind, Transcoder, View,
};
use crate::chain::{
    LEVELS_ABOVE, Strictness, TransactionError, TransactionLayout, TransactionProblem, Transactions,
};

/// A JSON queue whose first value was looked at.
pub(super) struct JsonQueue<R> {
    stream: JsonStream<R>,
    shape: JsonShape,
    transcoder: Transcoder,
    layout: TransactionLayout,
    /// A buffer for canonical text.
    text: Vec<u8>,
    /// Where the last value starts.
    last: Position,
}

enum JsonShape {
    /// Values one after another, as in JSON Lines.
    Lines,
    /// The elements of an array that is the whole file.
    Array {
        is_first: bool,
        /// The whole file is an object that holds the array.
        is_wrapped: bool,
    },
    Ended,
}

impl<R: Read> JsonQueue<R> {
    /// `stream` is at a `{` or a `[`.
    ///
    /// If nothing follows an array at the start of the file, its elements are the
    /// queue. Otherwise the first line is a separate block. An array that is too
    /// large for a block is not read to its end first, so that it need not fit
    /// in memory: it must be the whole file. So must an object that holds the
    /// queue.
    pub(super) fn new(mut stream: JsonStream<R>) -> Result<Self, QueueError> {
        let shape = if stream.peek()? == Some(b'[') {
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
                JsonShape::Array {
                    is_first: true,
                    is_wrapped: false,
                }
            } else {
                JsonShape::Lines
            }
        } else if enter_list(&mut stream)? {
            JsonShape::Array {
                is_first: true,
                is_wrapped: true,
            }
        } else {
            JsonShape::Lines
        };
        Ok(Self {
            stream,
            shape,
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

    /// Appends the next transaction to `pending`, or returns a separate block.
    pub(super) fn next(
        &mut self,
        pending: &mut Transactions,
        strictness: Strictness,
    ) -> Result<Option<QueueItem>, QueueError> {
        match self.shape {
            JsonShape::Ended => return Ok(None),
            JsonShape::Lines => {
                if self.stream.peek()?.is_none() {
                    self.shape = JsonShape::Ended;
                    return Ok(None);
                }
            }
            JsonShape::Array {
                is_first,
                is_wrapped,
            } => match (self.stream.peek()?, is_first) {
                (Some(b']'), _) => {
                    self.stream.bump();
                    if is_wrapped {
                        leave_list(&mut self.stream)?;
                    }
                    if self.stream.peek()?.is_some() {
                        return Err(self.stream.unexpected("the end of the file").into());
                    }
                    self.shape = JsonShape::Ended;
                    return Ok(None);
                }
                (Some(_), true) => {
                    self.shape = JsonShape::Array {
                        is_first: false,
                        is_wrapped,
                    };
                }
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
            return within_limit(pending, position).map(|()| Some(QueueItem::Transaction));
        }
        let first = self.stream.unread().first().copied().unwrap_or(0);
        let raw = self
            .stream
            .value()
            .map_err(|error| without_end(error, position, first))?;
        let malformed = |error| started_at(StreamError::inside(raw, position, error), position);
        if raw.starts_with(b"[") && matches!(self.shape, JsonShape::Lines) {
            self.text.clear();
            self.transcoder
                .transcode_nested(raw, LEVELS_ABOVE - 1, &mut self.text)
                .map_err(malformed)?;
            let mut block = Transactions::new();
            for (place, element) in (1..).zip(View::of(&self.text).elements()) {
                block
                    .push_view(element, strictness)
                    .map_err(|problem| refused(problem, element, position, Some(place)))?;
            }
            self.shrink();
            within_limit(&block, position)?;
            return Ok(Some(QueueItem::Block(block)));
        }
        pending
            .push_raw(raw, strictness, &mut self.transcoder, &mut self.text)
            .map_err(|error| match error {
                TransactionError::Syntax(error) => malformed(error),
                TransactionError::Problem(problem) => {
                    refused(problem, View::of(&self.text), position, None)
                }
            })?;
        self.shrink();
        within_limit(pending, position)?;
        Ok(Some(QueueItem::Transaction))
    }

    /// Appends transactions in the usual spelling to `pending`, until there are
    /// `most`. Leaves anything else to [`Self::next`].
    pub(super) fn take_plain_lines(
        &mut self,
        pending: &mut Transactions,
        most: usize,
        strictness: Strictness,
    ) {
        if !matches!(self.shape, JsonShape::Lines) {
            return;
        }
        let text = self.stream.unread();
        let (mut taken, mut lines, mut line_start) = (0, 0, 0);
        // The whole text must fit, even with more spaces.
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

    /// Frees the memory of a huge value.
    fn shrink(&mut self) {
        self.text.clear();
        self.text.shrink_to(KEPT_BYTES);
        self.transcoder.shrink();
    }
}

/// The error that `value` is not a transaction. If it is something else, the
/// missing field would not say so.
fn refused(
    problem: TransactionProblem,
    value: View<'_>,
    position: Position,
    place: Option<usize>,
) -> QueueError {
    let lacks_field = matches!(problem, TransactionProblem::MissingField { .. });
    match OtherObject::of(value).filter(|_| lacks_field) {
        Some(found) => QueueError::OtherObject {
            position,
            place,
            found,
        },
        None => QueueError::Transaction {
            position,
            place,
            problem,
        },
    }
}

/// The error of reading a value that starts with `first` at `position`. If its
/// end is missing, the file may end much later, so the error names its start.
pub(super) fn without_end(error: StreamError, position: Position, first: u8) -> QueueError {
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

/// The error inside a value that starts at `start`, which it names if that is in
/// an earlier line.
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
            _ => QueueError::BlockTooLarge { position },
        });
    }
    Ok(())
}
