//! Connections: how many, how long they may dawdle, and how they end.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::connection::{Connection, HEAD_BYTES};
use super::http::router;
use super::state::Node;

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
            TokioIo::new(Connection::new(stream, limits.unread_time)),
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
