//! Downloads a peer's chain into a file.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::address::host_and_port;
use crate::node::config::Limits;

/// How long a peer may take to accept a connection.
const CONNECT_TIME: Duration = Duration::from_secs(5);

/// How long a peer may send nothing.
const SILENCE: Duration = Duration::from_secs(10);

/// Why a peer's chain could not be downloaded.
#[derive(Debug, Error)]
pub(super) enum FetchError {
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    #[error("no connection within {} s", CONNECT_TIME.as_secs())]
    ConnectTime,
    #[error("it sent nothing for {} s", SILENCE.as_secs())]
    Silent,
    #[error("its answer took more than {} s", .0.as_secs())]
    Slow(Duration),
    #[error("its answer is not HTTP: {0}")]
    Http(#[from] hyper::Error),
    #[error("it answered {0}; redirects are not followed")]
    Redirect(StatusCode),
    #[error("it answered {0}, expected 200")]
    Status(StatusCode),
    #[error("its chain takes more than {0} bytes")]
    TooLarge(u64),
    #[error("cannot store its chain in a file: {0}")]
    File(io::Error),
    #[error("cannot build the request: {0}")]
    Request(#[from] axum::http::Error),
}

/// Downloads the chain of `node` into an unnamed file in `folder`, and returns
/// the file rewound to its start.
pub(super) async fn fetch_chain(
    node: &str,
    folder: &Path,
    limits: &Limits,
) -> Result<File, FetchError> {
    timeout(limits.peer_time, fetch(node, folder, limits))
        .await
        .map_err(|_| FetchError::Slow(limits.peer_time))?
}

async fn fetch(node: &str, folder: &Path, limits: &Limits) -> Result<File, FetchError> {
    let stream = timeout(CONNECT_TIME, TcpStream::connect(host_and_port(node)))
        .await
        .map_err(|_| FetchError::ConnectTime)?
        .map_err(FetchError::Connect)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Aborts the connection's task when this function returns.
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let request = Request::get("/chain")
        .header(header::HOST, node)
        .header(header::ACCEPT, "application/json")
        .header(
            header::USER_AGENT,
            concat!("fourzero/", env!("CARGO_PKG_VERSION")),
        )
        .body(Body::empty())?;
    let response = timeout(SILENCE, sender.send_request(request))
        .await
        .map_err(|_| FetchError::Silent)??;
    match response.status() {
        StatusCode::OK => {}
        status if status.is_redirection() => return Err(FetchError::Redirect(status)),
        status => return Err(FetchError::Status(status)),
    }

    let mut file = tempfile::tempfile_in(folder).map_err(FetchError::File)?;
    let mut body = response.into_body();
    let mut length = 0;
    while let Some(frame) = timeout(SILENCE, body.frame())
        .await
        .map_err(|_| FetchError::Silent)?
    {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        length += data.len() as u64;
        if length > limits.peer_bytes {
            return Err(FetchError::TooLarge(limits.peer_bytes));
        }
        // Copies a few kilobytes to the page cache, which hardly blocks.
        file.write_all(&data).map_err(FetchError::File)?;
    }
    file.rewind().map_err(FetchError::File)?;
    Ok(file)
}
