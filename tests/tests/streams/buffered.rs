//! A stream of an application's own, which keeps what is written until it is flushed.

use std::net::SocketAddr;

use axum::{Router, serve::Listener};
use switchboard_tests::{client::Client, serve::listen};
use tokio::{
    io::BufStream,
    net::{TcpListener, TcpStream},
};

use crate::site::{Http1, Site, upgrade};

pub(crate) struct Buffered(SocketAddr);

struct BufferedListener(TcpListener);

impl Listener for BufferedListener {
    type Io = BufStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, addr) = Listener::accept(&mut self.0).await;
        (BufStream::new(stream), addr)
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Site for Buffered {
    type Stream = TcpStream;

    const IS_SOCKET: bool = false;

    const ARRIVES_UNFLUSHED: bool = false;

    async fn start(app: Router) -> Self {
        let listener = listen(0).unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(BufferedListener(listener), app).into_future());
        Self(addr)
    }

    async fn connect(&self, path: &str) -> Client<TcpStream> {
        upgrade(self.dial().await, path).await
    }
}

impl Http1 for Buffered {
    async fn dial(&self) -> TcpStream {
        TcpStream::connect(self.0).await.unwrap()
    }
}

scenarios!(Buffered);
crate::early::tests!(Buffered);
