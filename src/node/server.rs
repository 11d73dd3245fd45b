//! Connections: how many, how long they may dawdle, and how they end.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};

use super::http::router;
use super::state::Node;

/// The most bytes of a request's line and headers, and of what is read ahead.
/// Each connection may take as much.
const HEAD_BYTES: usize = 64 << 10;

/// How long answers under way may take once the node shuts down.
const FAREWELL: Duration = Duration::from_secs(3);

/// How long to wait after the system refused a connection: out of files, say.
const PAUSE: Duration = Duration::from_millis(50);

/// Answers on `listener` until `shutdown` is done, then ends searches, lets
/// answers under way end, and returns within a few seconds. What was answered
/// is on disk by then; [`Node::finish`] closes the database.
pub async fn serve(node: Node, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    let limits = node.shared.config.limits;
    let service = TowerToHyperService::new(router(node.clone()));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.request_time)
        .max_buf_size(HEAD_BYTES);
    let places = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);

    loop {
        // A client past the limit waits in the system's queue.
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, stream) = tokio::select! {
            (place, accepted) = next => match accepted {
                Ok((stream, _)) => (place, stream),
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    sleep(PAUSE).await;
                    continue;
                }
            },
            () = &mut shutdown => break,
        };
        // A small answer should not wait for more to come.
        let _ = stream.set_nodelay(true);
        let connection = http.serve_connection(
            TokioIo::new(Impatient::new(stream, limits.unread_time)),
            service.clone(),
        );
        let connection = graceful.watch(connection);
        let node = node.clone();
        connections.spawn(async move {
            let _place = place;
            node.shared
                .metrics
                .connections
                .fetch_add(1, Ordering::Relaxed);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke");
            }
            node.shared
                .metrics
                .connections
                .fetch_sub(1, Ordering::Relaxed);
        });
        while connections.try_join_next().is_some() {}
    }

    drop(listener);
    node.close();
    if timeout(FAREWELL, graceful.shutdown()).await.is_err() {
        tracing::warn!("answers under way were cut off");
    }
    connections.shutdown().await;
}

/// A stream that fails once the other side has left an answer unread for too
/// long.
struct Impatient {
    stream: TcpStream,
    /// How long a write may wait.
    unread_time: Duration,
    /// Runs while a write waits.
    patience: Option<Pin<Box<Sleep>>>,
}

impl Impatient {
    const fn new(stream: TcpStream, unread_time: Duration) -> Self {
        Self {
            stream,
            unread_time,
            patience: None,
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

impl AsyncRead for Impatient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Impatient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
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
