//! The HTTP server of a test: it runs on a pipe what `axum::serve` runs on a socket.

use std::{net::SocketAddr, panic::Location};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
    service::Service as _,
    upgrade::Upgraded,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};

use super::{HttpResponse, Refusal, failure::fail};
use crate::upgrade::Probe;

/// The bytes that the pipe buffers in each direction before writes wait.
const PIPE: usize = 64 * 1024;

/// The size limit of a refusal's body.
const MAX_REFUSAL: usize = 1024 * 1024;

/// The size limit of other bodies, so that an endless one fails the test.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// An upgraded connection, and the headers of the response.
pub(super) struct Opened {
    pub(super) stream: TokioIo<Upgraded>,
    pub(super) headers: HeaderMap,
}

/// Opens a connection from `peer`.
async fn connect(router: Router, probe: Probe, peer: SocketAddr, at: &Location<'_>) -> SendRequest<Body> {
    let (client, server) = tokio::io::duplex(PIPE);
    let router = TowerToHyperService::new(router);
    let service = hyper::service::service_fn(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(probe.clone());
        router.call(request)
    });
    tokio::spawn(async move {
        let http = Builder::new(TokioExecutor::new());
        if let Err(error) = http.serve_connection_with_upgrades(TokioIo::new(server), service).await {
            tracing::debug!(%error, "a connection of a test failed");
        }
    });
    let (client, connection) = match http1::handshake::<_, Body>(TokioIo::new(client)).await {
        Ok(opened) => opened,
        Err(error) => fail(at, format_args!("the server does not speak HTTP: {error}")),
    };
    tokio::spawn(connection.with_upgrades());
    client
}

/// Sends a plain request from `peer`, and reads the response.
pub(super) async fn exchange(
    router: Router,
    probe: Probe,
    peer: SocketAddr,
    request: Request,
    (at, name): (&Location<'_>, &str),
) -> (StatusCode, HeaderMap, Bytes) {
    let mut client = connect(router, probe, peer, at).await;
    let response = match client.send_request(request).await {
        Ok(response) => response,
        Err(error) => fail(at, format_args!("{name} got no response: {error}")),
    };
    let (parts, body) = response.into_parts();
    match to_bytes(Body::new(body), MAX_BODY).await {
        Ok(body) => (parts.status, parts.headers, body),
        Err(error) => fail(at, format_args!("{name}: the body of the response cannot be read: {error}")),
    }
}

/// Opens a connection from `peer` and sends the request of an upgrade.
pub(super) async fn open(
    router: Router,
    probe: Probe,
    peer: SocketAddr,
    request: Request,
    at: &Location<'_>,
) -> Result<Opened, Refusal> {
    let mut client = connect(router, probe, peer, at).await;
    let response = match client.send_request(request).await {
        Ok(response) => response,
        Err(error) => fail(at, format_args!("the upgrade got no response: {error}")),
    };
    let headers = response.headers().clone();
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let status = response.status();
        // Empty if it is too large or incomplete.
        let body = to_bytes(Body::new(response.into_body()), MAX_REFUSAL).await.unwrap_or_default();
        return Err(Refusal::new(HttpResponse::new("the upgrade".to_owned(), status, headers, body)));
    }
    match hyper::upgrade::on(response).await {
        Ok(upgraded) => Ok(Opened { stream: TokioIo::new(upgraded), headers }),
        Err(error) => fail(at, format_args!("the server closed the connection after its 101: {error}")),
    }
}

/// Returns the headers of an upgrade with this key.
pub(super) fn upgrade_headers(key: &str) -> [(header::HeaderName, String); 5] {
    [
        (header::HOST, "localhost".to_owned()),
        (header::CONNECTION, "Upgrade".to_owned()),
        (header::UPGRADE, "websocket".to_owned()),
        (header::SEC_WEBSOCKET_VERSION, "13".to_owned()),
        (header::SEC_WEBSOCKET_KEY, key.to_owned()),
    ]
}
