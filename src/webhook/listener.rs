//! Connections with TLS, each with a deadline for its handshake and another for its silence, and never more than a bound.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::serve::Listener;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::JoinHandle,
    time::{Instant, Sleep, sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// Connections at the same time. An API server keeps a few.
const CONNECTIONS: usize = 64;
/// Longest handshake.
const HANDSHAKE: Duration = Duration::from_secs(2);
/// Longest silence of a caller: an API server closes its own idle connections earlier.
const SILENCE: Duration = Duration::from_mins(2);
/// Pause after the system could not give a connection, as when there are too many open files.
const PAUSE: Duration = Duration::from_millis(200);

/// Listens for connections with TLS.
pub(super) struct Secured {
    ready: mpsc::Receiver<(Connection, SocketAddr)>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Secured {
    /// Takes connections of a listener. Handshakes do not wait for one another.
    pub(super) fn new(listener: TcpListener, tls: TlsAcceptor) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (found, ready) = mpsc::channel(CONNECTIONS);
        let task = tokio::spawn(accept(listener, tls, found));
        Ok(Self { ready, address, task })
    }
}

impl Drop for Secured {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listener for Secured {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The task that accepts ends only with this listener.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, found: mpsc::Sender<(Connection, SocketAddr)>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    // Nobody closes the semaphore, so that the loop ends with its task.
    while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "a connection was not accepted");
                sleep(PAUSE).await;
                continue;
            }
        };
        let (tls, found) = (tls.clone(), found.clone());
        tokio::spawn(async move {
            match timeout(HANDSHAKE, tls.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let silence = Box::pin(sleep(SILENCE));
                    // Nobody listens any more only when the webhook is ending.
                    let _ = found.send((Connection { stream, silence, _slot: slot }, from)).await;
                }
                Ok(Err(error)) => tracing::debug!(%from, %error, "a handshake failed"),
                Err(_) => tracing::debug!(%from, "a handshake took too long"),
            }
        });
    }
}

/// A connection that ends when its caller is silent for too long.
pub(super) struct Connection {
    stream: TlsStream<TcpStream>,
    silence: Pin<Box<Sleep>>,
    _slot: OwnedSemaphorePermit,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Ready(read) => {
                self.silence.as_mut().reset(Instant::now() + SILENCE);
                Poll::Ready(read)
            }
            Poll::Pending => {
                self.silence.as_mut().poll(cx).map(|()| Err(io::Error::from(io::ErrorKind::TimedOut)))
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
