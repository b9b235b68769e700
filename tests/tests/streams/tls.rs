//! TLS by rustls, in axum's server.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, serve::Listener};
use switchboard_tests::{client::Client, serve::listen};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor, TlsConnector, client, rustls,
    rustls::pki_types::{PrivateKeyDer, ServerName},
    server,
};

use crate::site::{Http1, Site, upgrade};

pub(crate) struct Tls {
    addr: SocketAddr,
    connector: TlsConnector,
}

/// Accepts connections with TLS. One that fails its handshake is not there.
struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = server::TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, addr)) = self.tcp.accept().await else { continue };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, addr);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

impl Site for Tls {
    type Stream = client::TlsStream<TcpStream>;

    const IS_SOCKET: bool = false;

    async fn start(app: Router) -> Self {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        let server = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let client = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let tcp = listen(0).unwrap();
        let addr = tcp.local_addr().unwrap();
        let listener = TlsListener { tcp, acceptor: TlsAcceptor::from(Arc::new(server)) };
        tokio::spawn(axum::serve(listener, app).into_future());
        Self { addr, connector: TlsConnector::from(Arc::new(client)) }
    }

    async fn connect(&self, path: &str) -> Client<Self::Stream> {
        upgrade(self.dial().await, path).await
    }
}

impl Http1 for Tls {
    async fn dial(&self) -> Self::Stream {
        let stream = TcpStream::connect(self.addr).await.unwrap();
        self.connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()
    }
}

scenarios!(Tls);
crate::early::tests!(Tls);
