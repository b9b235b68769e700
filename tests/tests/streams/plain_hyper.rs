//! hyper's own server for HTTP/1.1, which hands out the socket in other wrapping than hyper-util's.

use std::net::SocketAddr;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use switchboard_tests::{client::Client, serve::listen};
use tokio::net::TcpStream;

use crate::site::{Http1, Site, upgrade};

pub(crate) struct PlainHyper(SocketAddr);

impl Site for PlainHyper {
    type Stream = TcpStream;

    const IS_SOCKET: bool = true;

    async fn start(app: Router) -> Self {
        let listener = listen(0).unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = TowerToHyperService::new(app.clone());
                let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection.with_upgrades());
            }
        });
        Self(addr)
    }

    async fn connect(&self, path: &str) -> Client<TcpStream> {
        upgrade(self.dial().await, path).await
    }
}

impl Http1 for PlainHyper {
    async fn dial(&self) -> TcpStream {
        TcpStream::connect(self.0).await.unwrap()
    }
}

scenarios!(PlainHyper);
crate::early::tests!(PlainHyper);
