//! The socket of a connection, shared by its task and publishers.

use std::{
    io::{self, IoSlice, Read as _},
    net::Shutdown,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::BufMut;
use socket2::SockRef;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::{io::Interest, net::TcpStream};

use crate::outbox::Sink;

/// A socket that is read and written through a shared reference.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// Evaluates an expression for either kind of socket.
macro_rules! either {
    ($socket:expr, $stream:ident => $body:expr) => {
        match $socket {
            Socket::Tcp($stream) => $body,
            #[cfg(unix)]
            Socket::Unix($stream) => $body,
        }
    };
}

impl Socket {
    /// Sets `TCP_NODELAY`.
    pub(crate) fn prepare(&self) {
        if let Self::Tcp(stream) = self {
            // The engine writes whole turns, so Nagle's algorithm would only delay them. Fails only
            // on a closed socket, which the first read reports.
            _ = stream.set_nodelay(true);
        }
    }

    /// Reads available bytes; 0 at the end of the stream.
    pub(super) fn poll_read(&self, buffer: &mut [u8], cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.poll_readable(cx))?;
            match self.read_once(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    fn read_once(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut short = None;
        let read = either!(self, stream => stream.try_io(Interest::READABLE, || {
            let read = (&*SockRef::from(stream)).read(buffer)?;
            if cfg!(any(target_os = "linux", target_os = "android")) && 0 < read && read < buffer.len() {
                // A short read means that the kernel has no more. Clearing the readiness saves a
                // read that would find nothing.
                short = Some(read);
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(read)
        }));
        short.map_or(read, Ok)
    }

    /// Appends available bytes to a buffer with spare capacity.
    pub(super) fn poll_read_buf(&self, buffer: &mut impl BufMut, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.poll_readable(cx))?;
            match either!(self, stream => stream.try_read_buf(buffer)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_read_ready(cx))
    }

    pub(super) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_write_ready(cx))
    }

    /// Waits until the peer has closed its side, without reading what comes before that.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) async fn gone(&self) {
        // `PRIORITY` is the only interest that reports the end of the stream without also
        // reporting readable data. WebSocket clients never send priority data.
        let ready = either!(self, stream => stream.ready(Interest::PRIORITY).await);
        if ready.is_ok_and(|ready| !ready.is_read_closed()) {
            std::future::pending::<()>().await;
        }
    }

    /// Never completes: on this platform the end of the stream cannot be seen behind unread data.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(super) async fn gone(&self) {
        std::future::pending().await
    }

    /// Closes the write half.
    pub(super) fn shutdown_write(&self) -> io::Result<()> {
        either!(self, stream => SockRef::from(stream).shutdown(Shutdown::Write))
    }
}

impl Sink for Arc<Socket> {
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let wrote = match slices {
            [slice] => either!(&**self, stream => stream.try_write(slice)),
            slices => either!(&**self, stream => stream.try_write_vectored(slices)),
        };
        match wrote {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            wrote => wrote,
        }
    }

    /// Bypasses tokio, which tries to write only after the system has reported the socket writable.
    fn write_now(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let wrote = either!(&**self, stream => SockRef::from(stream).send_vectored(slices));
        match wrote {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            wrote => wrote,
        }
    }
}
