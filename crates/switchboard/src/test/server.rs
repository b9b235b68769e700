//! The HTTP server of a test: what `axum::serve` runs for a connection, on a pipe.

use std::{net::SocketAddr, panic::Location};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request},
};
use http::{HeaderMap, StatusCode, header};
use hyper::{body::Incoming, client::conn::http1, service::Service as _, upgrade::Upgraded};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};

use super::{Refusal, failure::fail};
use crate::upgrade::Probe;

/// What fits into the pipe in each direction before the one who writes has to wait.
const PIPE: usize = 64 * 1024;

/// More of a refusal's body is not read.
const MAX_BODY: usize = 1024 * 1024;

/// A connection that was upgraded, and the headers of the response.
pub(super) struct Opened {
    pub(super) stream: TokioIo<Upgraded>,
    pub(super) headers: HeaderMap,
}

/// Opens a connection from `peer` and sends the upgrade's request.
pub(super) async fn open(
    router: Router,
    probe: Probe,
    peer: SocketAddr,
    request: Request,
    at: &Location<'_>,
) -> Result<Opened, Refusal> {
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
    let (mut client, connection) = match http1::handshake::<_, Body>(TokioIo::new(client)).await {
        Ok(opened) => opened,
        Err(error) => fail(at, format_args!("the server does not speak HTTP: {error}")),
    };
    tokio::spawn(connection.with_upgrades());
    let response = match client.send_request(request).await {
        Ok(response) => response,
        Err(error) => fail(at, format_args!("the server gave no answer to the upgrade: {error}")),
    };
    let headers = response.headers().clone();
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let status = response.status();
        // What the server breaks off is left out.
        let body = to_bytes(Body::new(response.into_body()), MAX_BODY).await.unwrap_or_default();
        return Err(Refusal::new(status, headers, body));
    }
    match hyper::upgrade::on(response).await {
        Ok(upgraded) => Ok(Opened { stream: TokioIo::new(upgraded), headers }),
        Err(error) => fail(at, format_args!("the server gave up after its 101: {error}")),
    }
}

/// The headers that each upgrade has, for a key.
pub(super) fn upgrade_headers(key: &str) -> [(header::HeaderName, String); 5] {
    [
        (header::HOST, "localhost".to_owned()),
        (header::CONNECTION, "Upgrade".to_owned()),
        (header::UPGRADE, "websocket".to_owned()),
        (header::SEC_WEBSOCKET_VERSION, "13".to_owned()),
        (header::SEC_WEBSOCKET_KEY, key.to_owned()),
    ]
}
