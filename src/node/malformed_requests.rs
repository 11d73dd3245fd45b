//! Answers to requests that hyper cannot parse.
//!
//! hyper answers them with a bare status and closes the connection. It has no
//! setting for the body and calls no service, but it returns the reason once its
//! answer is written. So that answer is held back here, and completed with the
//! reason.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::oneshot;

use super::http::error;

/// The most bytes of a request's first line and headers, and of the buffer
/// that hyper reads into. Each connection may use as much.
pub(super) const HEAD_BYTES: usize = 64 << 10;

/// The most headers that hyper takes by default.
const MOST_HEADERS: usize = 100;

/// A writer for hyper that holds back its own errors.
pub(super) struct WithoutErrors<W> {
    /// `None` once an error was held back: it ends the connection.
    writer: Option<W>,
    held: Option<oneshot::Sender<HeldError<W>>>,
}

/// The head of hyper's own error, and where to write it.
pub(super) struct HeldError<W> {
    head: Vec<u8>,
    writer: W,
}

impl<W> WithoutErrors<W> {
    /// The receiver gets the error that ends the connection, if one does.
    pub(super) fn new(writer: W) -> (Self, oneshot::Receiver<HeldError<W>>) {
        let (held, receiver) = oneshot::channel();
        let writer = Self {
            writer: Some(writer),
            held: Some(held),
        };
        (writer, receiver)
    }

    fn hold(&mut self, head: &[u8]) {
        if let (Some(writer), Some(held)) = (self.writer.take(), self.held.take()) {
            let head = head.to_vec();
            // An error: the connection's task was aborted.
            let _ = held.send(HeldError { head, writer });
        }
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for WithoutErrors<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if is_own_error(bytes) {
            self.hold(bytes);
        }
        match &mut self.writer {
            Some(writer) => Pin::new(writer).poll_write(context, bytes),
            None => Poll::Ready(Ok(bytes.len())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.writer {
            Some(writer) => Pin::new(writer).poll_flush(context),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.writer {
            Some(writer) => Pin::new(writer).poll_shutdown(context),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // hyper writes its own errors as one slice.
        match (slices, &mut self.writer) {
            ([], _) => Poll::Ready(Ok(0)),
            ([only], _) => self.poll_write(context, only),
            (_, Some(writer)) => Pin::new(writer).poll_write_vectored(context, slices),
            (_, None) => Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum())),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.writer.as_ref().is_some_and(W::is_write_vectored)
    }
}

/// Whether this is an error of hyper's. Ours always have a body.
fn is_own_error(answer: &[u8]) -> bool {
    let status = answer
        .strip_prefix(b"HTTP/1.1 ")
        .and_then(|rest| rest.get(..4));
    matches!(status, Some(b"400 " | b"414 " | b"431 ")) && split(answer).is_some()
}

/// hyper's own error without its length and its end.
fn split(answer: &[u8]) -> Option<(&str, &str)> {
    std::str::from_utf8(answer)
        .ok()?
        .strip_suffix("\r\n\r\n")?
        .split_once("content-length: 0\r\n")
}

impl<W: AsyncWrite + Unpin> HeldError<W> {
    /// Writes the error with `reason`, for which hyper refused the request.
    pub(super) async fn write(mut self, reason: &hyper::Error) -> io::Result<()> {
        let Some((before, after)) = split(&self.head) else {
            return Ok(());
        };
        // "HTTP/1.1 400 Bad Request"
        let (code, detail) = match &self.head[9..12] {
            b"414" => ("uri_too_long", "the path and query are too long".to_owned()),
            b"431" => (
                "headers_too_large",
                format!(
                    "there are more than {MOST_HEADERS} headers, or they take more than {HEAD_BYTES} bytes"
                ),
            ),
            _ => {
                // "invalid content-length parsed"
                let reason = reason.to_string();
                let reason = reason.trim_end_matches(" parsed");
                (
                    "bad_request",
                    format!("the request is not valid HTTP/1.1: {reason}"),
                )
            }
        };
        let body = error::body(code, &detail);
        let length = body.len();
        let answer = format!(
            "{before}content-type: application/json\r\ncontent-length: {length}\r\n{after}\r\n\r\n{body}"
        );
        self.writer.write_all(answer.as_bytes()).await?;
        self.writer.shutdown().await
    }
}
