//! TCP, as most applications are served.

use std::net::SocketAddr;

use axum::Router;
use switchboard_tests::{
    client::Client,
    serve::{listen, serve_on},
};
use tokio::net::TcpStream;

use crate::site::{Http1, Site, upgrade};

pub(crate) struct Tcp(SocketAddr);

impl Site for Tcp {
    type Stream = TcpStream;

    const IS_SOCKET: bool = true;

    async fn start(app: Router) -> Self {
        let listener = listen(0).unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(serve_on(listener, app));
        Self(addr)
    }

    async fn connect(&self, path: &str) -> Client<TcpStream> {
        upgrade(self.dial().await, path).await
    }
}

impl Http1 for Tcp {
    async fn dial(&self) -> TcpStream {
        TcpStream::connect(self.0).await.unwrap()
    }
}

scenarios!(Tcp);
crate::early::tests!(Tcp);
