//! What a handler leaves unread of a request's body.
//!
//! The connection's next request stands behind it. With some of it left, hyper
//! closes the connection, maybe after an answer that did not say so: the
//! client's next call is then lost. So it is read to no use, or the answer
//! says that the connection closes.

use std::mem::take;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header::EXPECT;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// The most bytes that are read to no use: many clients read no answer before
/// all is sent, and what they sent to a closed connection may cost them that.
const MOST_BYTES: u64 = 16 << 20;

/// How long the next bytes may take.
const PAUSE: Duration = Duration::from_millis(500);

/// Gets the body back from whoever reads it.
pub(super) struct Rest(Option<oneshot::Receiver<Option<Body>>>);

/// Lends the request's body to a handler.
pub(super) fn lend(request: Request) -> (Request, Rest) {
    if request.body().is_end_stream() {
        return (request, Rest(None));
    }
    let (owner, rest) = oneshot::channel();
    // To read would ask the client for what it has not sent yet.
    let is_useless = request.headers().contains_key(EXPECT);
    let request = request.map(|body| {
        Body::new(Lent {
            body,
            is_useless,
            owner: Some(owner),
        })
    });
    (request, Rest(Some(rest)))
}

impl Rest {
    /// Reads it to no use. Whether nothing is left, so that the connection can
    /// go on.
    pub(super) async fn discard(self, time: Duration) -> bool {
        let Some(mut rest) = self.0 else {
            return true;
        };
        match rest.try_recv() {
            Ok(Some(body)) => timeout(time, discard(body)).await.unwrap_or(false),
            Ok(None) | Err(oneshot::error::TryRecvError::Empty) => false,
            // It was read to its end.
            Err(oneshot::error::TryRecvError::Closed) => true,
        }
    }
}

async fn discard(mut body: Body) -> bool {
    if body.size_hint().lower() > MOST_BYTES {
        return false;
    }
    let mut left = MOST_BYTES;
    loop {
        let frame = match timeout(PAUSE, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(None) => return true,
            Ok(Some(Err(_))) | Err(_) => return false,
        };
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length as u64) {
            Some(rest) => left = rest,
            None => return false,
        }
    }
}

/// A body that goes back to its owner when it is dropped before its end.
struct Lent {
    body: Body,
    /// Whether there is no use in reading on.
    is_useless: bool,
    owner: Option<oneshot::Sender<Option<Body>>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        self.is_useless = matches!(polled, Poll::Ready(Some(Err(_))));
        if matches!(polled, Poll::Ready(None)) {
            self.owner = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(owner) = self.owner.take() {
            let body = (!self.is_useless).then(|| take(&mut self.body));
            // Nobody waits for it once the connection is gone.
            let _ = owner.send(body);
        }
    }
}
