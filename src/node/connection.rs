//! One connection's bytes: how long they may stay unread, and what is said to
//! requests that are no HTTP.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// The most bytes of a request's line and headers, and of what is read ahead.
/// Each connection may take as much.
pub(super) const HEAD_BYTES: usize = 64 << 10;

/// A stream that fails once the other side has left an answer unread for too
/// long, and that gives the library's own answers the shape of ours.
pub(super) struct Connection {
    stream: TcpStream,
    /// How long a write may wait.
    unread_time: Duration,
    /// Runs while a write waits.
    patience: Option<Pin<Box<Sleep>>>,
    /// What is written instead of an answer of the library's, from `sent` on.
    instead: Vec<u8>,
    sent: usize,
}

impl Connection {
    pub(super) const fn new(stream: TcpStream, unread_time: Duration) -> Self {
        Self {
            stream,
            unread_time,
            patience: None,
            instead: Vec::new(),
            sent: 0,
        }
    }

    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.patience = None;
            return written;
        }
        let patience = self
            .patience
            .get_or_insert_with(|| Box::pin(sleep(self.unread_time)));
        ready!(patience.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.instead.is_empty() {
            match in_our_shape(bytes) {
                Some(answer) => this.instead = answer,
                None => {
                    let written = Pin::new(&mut this.stream).poll_write(context, bytes);
                    return this.watch(context, written);
                }
            }
        }
        while let Some(rest) = this
            .instead
            .get(this.sent..)
            .filter(|rest| !rest.is_empty())
        {
            let written = Pin::new(&mut this.stream).poll_write(context, rest);
            this.sent += ready!(this.watch(context, written))?;
        }
        (this.instead, this.sent) = (Vec::new(), 0);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [only] = slices {
            return self.poll_write(context, only);
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// What to write instead of an answer that the HTTP library made by itself:
/// it has no body, as none of ours, and its connection closes. `None` for our
/// own answers.
fn in_our_shape(answer: &[u8]) -> Option<Vec<u8>> {
    const NO_BODY: &str = "content-length: 0\r\n";
    // "HTTP/1.1 400 Bad Request"
    let status = match answer.get(8..13)? {
        b" 400 " => "400",
        b" 414 " => "414",
        b" 431 " => "431",
        _ => return None,
    };
    let head = std::str::from_utf8(answer)
        .ok()
        .filter(|head| head.starts_with("HTTP/1.") && head.ends_with("\r\n\r\n"))?;
    let (before, after) = head.split_once(NO_BODY)?;
    let (code, detail) = match status {
        "414" => ("uri_too_long", "the path and query are too long".to_owned()),
        "431" => (
            "headers_too_large",
            format!("the request's headers take more than {HEAD_BYTES} bytes, or are too many"),
        ),
        _ => ("bad_request", "the request is no HTTP/1.1".to_owned()),
    };
    let body = serde_json::json!({ "error": code, "detail": detail }).to_string();
    let length = body.len();
    let text = format!(
        "{before}content-type: application/json\r\ncontent-length: {length}\r\n{after}{body}"
    );
    Some(text.into_bytes())
}
