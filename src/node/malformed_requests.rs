//! JSON bodies for the errors that hyper answers by itself.
//!
//! hyper answers a request that it cannot parse with a bare status and closes
//! the connection. It has no setting for the body and calls no service, so the
//! body is added here, where the answer is written.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use serde_json::json;
use tokio::io::AsyncWrite;

/// The most bytes of a request's first line and headers, and of the buffer
/// that hyper reads into. Each connection may use as much.
pub(super) const HEAD_BYTES: usize = 64 << 10;

/// A writer that gives hyper's own errors a JSON body.
pub(super) struct WithErrorBodies<W> {
    writer: W,
    /// An answer that is written in place of hyper's, from `written` on.
    answer: Vec<u8>,
    written: usize,
}

impl<W> WithErrorBodies<W> {
    pub(super) const fn new(writer: W) -> Self {
        Self {
            writer,
            answer: Vec::new(),
            written: 0,
        }
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for WithErrorBodies<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.answer.is_empty() {
            match with_body(bytes) {
                Some(answer) => (this.answer, this.written) = (answer, 0),
                None => return Pin::new(&mut this.writer).poll_write(context, bytes),
            }
        }
        while this.written < this.answer.len() {
            let rest = &this.answer[this.written..];
            this.written += ready!(Pin::new(&mut this.writer).poll_write(context, rest))?;
        }
        this.answer.clear();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // hyper writes its own errors as one slice.
        if let [only] = slices {
            return self.poll_write(context, only);
        }
        Pin::new(&mut self.writer).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.writer.is_write_vectored()
    }
}

/// hyper's own error with a JSON body; `None` for an answer of ours, which
/// always has a body.
fn with_body(answer: &[u8]) -> Option<Vec<u8>> {
    // "HTTP/1.1 400 Bad Request"
    let (code, detail) = match answer.get(..13)? {
        b"HTTP/1.1 400 " => ("bad_request", "the request is not valid HTTP/1.1".into()),
        b"HTTP/1.1 414 " => ("uri_too_long", "the path and query are too long".into()),
        b"HTTP/1.1 431 " => (
            "headers_too_large",
            format!("the headers take more than {HEAD_BYTES} bytes, or there are too many"),
        ),
        _ => return None,
    };
    let (before, after) = std::str::from_utf8(answer)
        .ok()?
        .strip_suffix("\r\n\r\n")?
        .split_once("content-length: 0\r\n")?;
    let body = json!({ "error": code, "detail": detail }).to_string();
    let length = body.len();
    let answer = format!(
        "{before}content-type: application/json\r\ncontent-length: {length}\r\n{after}\r\n\r\n{body}"
    );
    Some(answer.into_bytes())
}
