//! Taking connections: never more than there is room for, and through every failure of `accept`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Shutdown;
use super::connection::Serving;

/// Where connections come from; a trait only so that a failing `accept` can be tested.
pub(super) trait Accept {
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)>;
}

impl Accept for TcpListener {
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        TcpListener::accept(self).await
    }
}

/// Serves connections until `shutdown`; then takes no more, lets requests in flight finish within
/// the drain time, and closes what is left.
pub(super) async fn serve_all(
    listener: impl Accept,
    serving: Serving,
    room: Arc<Semaphore>,
    mut shutdown: Shutdown,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.requested() => break,
            // Finished tasks are collected, or the set would grow for ever.
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                pause_after(&error, &mut shutdown).await;
                continue;
            }
        };
        // While there is no room this one connection waits, the next ones queue in the kernel. Room
        // is not taken before: listeners share it, and an idle one must not keep it from the others.
        let permit = tokio::select! {
            () = shutdown.requested() => break,
            permit = Arc::clone(&room).acquire_owned() => permit,
        };
        let connection = serving.clone().serve(stream, from, shutdown.clone());
        connections.spawn(async move {
            connection.await;
            drop(permit);
        });
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(serving.limits.drain, drained)
        .await
        .is_err()
    {
        tracing::warn!(
            connections = connections.len(),
            "closed connections that did not finish"
        );
        connections.shutdown().await;
    }
}

/// A connection that died in the queue is the client's affair. Anything else (`EMFILE`, `ENOMEM`)
/// stays until other connections end, so trying again at once would only spin.
async fn pause_after(error: &io::Error, shutdown: &mut Shutdown) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        return;
    }
    tracing::error!(%error, "cannot accept connections; trying again");
    tokio::select! {
        () = shutdown.requested() => {}
        () = tokio::time::sleep(ACCEPT_PAUSE) => {}
    }
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(500);
