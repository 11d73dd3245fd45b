//! Times of the clock that HTTP cannot express.
//!
//! hyper puts the date into each answer, and panics before 1970 and past 9999,
//! even if told to leave it out. So at such a time no connection may reach
//! it. Everything else works with any clock.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy, sink};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The first second of the year 10000.
const END: Duration = Duration::from_secs(253_402_300_800);

/// Bytes that are read of a request that is refused.
const MOST_READ: u64 = 1 << 20;

pub(super) fn is_usable() -> bool {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .is_ok_and(|since| since < END)
}

/// Polls a connection as long as the clock can be used, and then drops it.
pub(super) async fn while_usable<E>(
    connection: impl Future<Output = Result<(), E>>,
) -> Result<(), E> {
    let mut connection = pin!(connection);
    poll_fn(|context| {
        if is_usable() {
            connection.as_mut().poll(context)
        } else {
            Poll::Ready(Ok(()))
        }
    })
    .await
}

/// Answers any request with 503, within `time`.
pub(super) async fn refuse(mut stream: TcpStream, time: Duration) -> io::Result<()> {
    let body = "{\"detail\": \"the clock of this machine is before 1970 or past 9999; set it\", \
                \"error\": \"clock\"}\n";
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nretry-after: 1\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let exchange = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        // Closing a connection with unread bytes would destroy the answer.
        copy(&mut stream.take(MOST_READ), &mut sink()).await
    };
    timeout(time, exchange).await??;
    Ok(())
}
