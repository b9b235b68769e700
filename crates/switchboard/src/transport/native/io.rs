//! The byte stream of a connection: a socket, or any other upgraded stream.

use std::{
    fmt,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::{rt::TokioIo, server::conn::auto::upgrade};
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::Socket;

/// The byte stream of one connection.
pub(crate) enum Io {
    /// A TCP or Unix socket, which any thread can write to without waiting.
    Socket(Arc<Socket>),
    /// Another stream, such as TLS or HTTP/2, used by the connection's task alone.
    Boxed(Boxed),
}

trait Stream: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Stream for T {}

/// A boxed stream.
pub(crate) struct Boxed(Pin<Box<dyn Stream>>);

impl Io {
    /// Finds the socket of an upgraded HTTP connection, or boxes the stream. Also returns the bytes
    /// that were already read.
    pub(crate) fn of(upgraded: Upgraded) -> (Self, Bytes) {
        let upgraded = match take_socket::<TcpStream>(upgraded) {
            Ok((stream, rest)) => return (Self::socket(Socket::Tcp(stream)), rest),
            Err(upgraded) => upgraded,
        };
        #[cfg(unix)]
        let upgraded = match take_socket::<UnixStream>(upgraded) {
            Ok((stream, rest)) => return (Self::socket(Socket::Unix(stream)), rest),
            Err(upgraded) => upgraded,
        };
        // hyper's stream returns the bytes already read first.
        (Self::Boxed(Boxed(Box::pin(TokioIo::new(upgraded)))), Bytes::new())
    }

    fn socket(socket: Socket) -> Self {
        socket.prepare();
        Self::Socket(Arc::new(socket))
    }

    pub(super) fn poll_read(&mut self, buffer: &mut [u8], cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match self {
            Self::Socket(socket) => socket.poll_read(buffer, cx),
            Self::Boxed(Boxed(stream)) => {
                let mut buffer = ReadBuf::new(buffer);
                ready!(stream.as_mut().poll_read(cx, &mut buffer))?;
                Poll::Ready(Ok(buffer.filled().len()))
            }
        }
    }

    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Socket(socket) => Poll::Ready(socket.shutdown_write()),
            Self::Boxed(Boxed(stream)) => stream.as_mut().poll_shutdown(cx),
        }
    }
}

/// Takes the socket out of an upgraded connection of hyper-util's server or of hyper's own.
fn take_socket<T>(upgraded: Upgraded) -> Result<(T, Bytes), Upgraded>
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let upgraded = match upgrade::downcast::<TokioIo<T>>(upgraded) {
        Ok(parts) => return Ok((parts.io.into_inner(), own(&parts.read_buf))),
        Err(upgraded) => upgraded,
    };
    let parts = upgraded.downcast::<TokioIo<T>>()?;
    Ok((parts.io.into_inner(), own(&parts.read_buf)))
}

/// Copies the bytes: the original would keep the request's read buffer alive.
fn own(rest: &Bytes) -> Bytes {
    if rest.is_empty() { Bytes::new() } else { Bytes::copy_from_slice(rest) }
}

impl Boxed {
    pub(super) fn poll_write(&mut self, slices: &[IoSlice<'_>], cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match slices {
            [slice] => self.0.as_mut().poll_write(cx, slice),
            slices => self.0.as_mut().poll_write_vectored(cx, slices),
        }
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_flush(cx)
    }
}

impl fmt::Debug for Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(socket) => f.debug_tuple("Socket").field(socket).finish(),
            Self::Boxed(_) => f.debug_tuple("Boxed").finish_non_exhaustive(),
        }
    }
}
