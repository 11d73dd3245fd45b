//! Accepts connections, limits their number and their time, and shuts down.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::join;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutWriter;

use super::clock;
use super::http::router;
use super::malformed_requests::{HEAD_BYTES, WithoutErrors};
use super::state::Node;

/// How long unfinished answers may take once the node shuts down.
const SHUTDOWN_TIME: Duration = Duration::from_secs(3);

/// How long to wait after accepting failed, for example because no file
/// descriptor is left.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves connections of `listener` until `shutdown` completes. Then it ends
/// searches, waits a few seconds for unfinished answers, and returns. Every
/// change that was confirmed is on disk; [`Node::finish`] closes the database.
pub async fn serve(node: Node, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    let limits = node.shared.config.limits;
    let service = TowerToHyperService::new(router(node.clone()));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.request_time)
        .max_buf_size(HEAD_BYTES);
    let most = limits.connections.min(Semaphore::MAX_PERMITS);
    let places = Arc::new(Semaphore::new(most));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    let mut was_usable = true;

    loop {
        while connections.try_join_next().is_some() {}
        // Clients above the limit wait in the system's queue.
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
        let is_usable = clock::is_usable();
        if was_usable && !is_usable {
            tracing::error!("the clock is before 1970 or past 9999; calls get 503 until it is set");
        }
        was_usable = is_usable;
        if !is_usable {
            connections.spawn(async move {
                let _place = place;
                if let Err(error) = clock::refuse(stream, limits.request_time).await {
                    tracing::debug!(%error, "a connection broke");
                }
            });
            continue;
        }
        // Small answers should be sent at once.
        let _ = stream.set_nodelay(true);
        let (reader, writer) = stream.into_split();
        // Fails when the client leaves an answer unread for too long.
        let mut writer = TimeoutWriter::new(writer);
        writer.set_timeout(Some(limits.unread_time));
        let (writer, mut held) = WithoutErrors::new(Box::pin(writer));
        let stream = join(reader, writer);
        let connection = http.serve_connection(TokioIo::new(stream), service.clone());
        let connection = graceful.watch(connection);
        let open = node.shared.metrics.connections.clone();
        connections.spawn(async move {
            let _place = place;
            open.inc();
            if let Err(error) = clock::while_usable(connection).await {
                tracing::debug!(%error, "a connection broke");
                if let Ok(answer) = held.try_recv() {
                    // An error: the client is gone.
                    let _ = answer.write(&error).await;
                }
            }
            open.dec();
        });
    }

    drop(listener);
    node.close();
    if timeout(SHUTDOWN_TIME, graceful.shutdown()).await.is_err() {
        tracing::warn!("unfinished answers were cut off");
    }
    connections.shutdown().await;
}
