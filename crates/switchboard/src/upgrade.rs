//! The upgrade: who may connect, and what is kept of the request.
//!
//! In this order: is it a WebSocket handshake at all, Origin, authentication, the extractors of
//! handlers and hooks, 101. The first that refuses decides the HTTP response.

mod authenticate;
mod handshake;
mod origin;
mod refusal;
mod subprotocol;
mod token;

use std::{net::SocketAddr, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    extract::{ConnectInfo, ws::WebSocketUpgrade},
    response::Response,
};
use futures_util::FutureExt as _;
use http::{HeaderValue, header, request::Parts};
use hyper::upgrade::OnUpgrade;
use switchboard_frame::handshake::Request;
use tracing::Instrument as _;

pub(crate) use self::{
    authenticate::{Authenticate, erase as erase_authenticator},
    handshake::check as check_handshake,
};
pub use self::{
    authenticate::{Authenticated, Authenticator, Open, Produces},
    origin::OriginPolicy,
    token::{BearerToken, BearerTokenRejection, TokenSources},
};
use crate::{
    conn::{ConnId, ConnInner, Outbox},
    engine::Driver,
    extract::Kept,
    router::{Mounted, Routing},
    transport::{self, AxumTransport, Io, NativeTransport},
};

/// What an upgrade that may go ahead brings to its connection.
pub(crate) struct Admitted<D> {
    data: D,
    kept: Kept,
    state: Arc<dyn std::any::Any + Send + Sync>,
}

/// Checks the Origin and runs authentication and the extractors; within the upgrade's timeout.
pub(crate) async fn admit<S, D>(
    mounted: &Mounted<S, D>,
    parts: &mut Parts,
    state: &S,
    data: Option<D>,
) -> Result<Admitted<D>, Response>
where
    S: Clone + Send + Sync + 'static,
{
    let settings = &mounted.settings;
    settings.origin.check(parts).map_err(|refusal| *refusal)?;
    parts.extensions.insert(Arc::clone(&settings.tokens));
    let extract = async {
        let data = match (data, &mounted.authenticate) {
            (Some(data), _) => data,
            (None, Some(authenticate)) => authenticate(parts, state).await?,
            // `ws_route` takes only routers that produce their data.
            (None, None) => return Err(refusal::internal("nothing produces the connection data")),
        };
        let mut kept = Vec::with_capacity(mounted.steps.len());
        for step in &mounted.steps {
            step.run(parts, state, &mut kept).await?;
        }
        Ok(Admitted { data, kept: Kept::new(kept), state: Arc::new(state.clone()) })
    };
    // As in handlers, a panic costs one answer, not the HTTP connection.
    let extract = AssertUnwindSafe(extract).catch_unwind();
    match tokio::time::timeout(settings.config.upgrade_timeout, extract).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(refusal::internal("authentication or an extractor panicked")),
        Err(_) => Err(refusal::unavailable("the upgrade took too long")),
    }
}

/// A connection that is about to begin: what its task and its handles share, and the response.
struct Accepted<D> {
    conn: Arc<ConnInner<D>>,
    protocol: Option<String>,
}

impl<D> Accepted<D> {
    fn new<S>(mounted: &Mounted<S, D>, parts: &Parts, admitted: Admitted<D>) -> Self {
        let settings = &mounted.settings;
        let conn = Arc::new(ConnInner {
            outbox: Outbox::new(settings.config.max_outbound_bytes),
            id: ConnId::new(),
            subscriptions: Default::default(),
            settings: Arc::clone(settings),
            state: admitted.state,
            kept: admitted.kept,
            remote_addr: parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0),
            data: admitted.data,
        });
        Self { conn, protocol: subprotocol::choose(parts, &settings.protocols) }
    }

    fn add_id(&self, response: &mut Response) {
        if let Ok(value) = HeaderValue::from_str(&self.conn.id.to_string()) {
            response.headers_mut().insert("x-client-id", value);
        }
    }
}

/// Answers with 101 and starts the connection's task, on axum's `WebSocket`.
pub(crate) fn accept_axum<S, D>(
    mounted: &Mounted<S, D>,
    upgrade: WebSocketUpgrade,
    parts: &Parts,
    admitted: Admitted<D>,
) -> Response
where
    S: Send + Sync + 'static,
    D: Send + Sync + 'static,
{
    let accepted = Accepted::new(mounted, parts, admitted);
    let routing = Arc::clone(&mounted.routing);
    let upgrade = transport::configure(upgrade, &mounted.settings.config);
    let upgrade = match &accepted.protocol {
        Some(protocol) => upgrade.protocols([protocol.clone()]),
        None => upgrade,
    };
    let span = tracing::Span::current();
    let conn = Arc::clone(&accepted.conn);
    let mut response = upgrade.on_upgrade(move |socket| {
        let driver = Driver::new(AxumTransport::new(socket), conn, routing);
        driver.instrument(span)
    });
    accepted.add_id(&mut response);
    response
}

/// Answers with 101, or 200 to an extended CONNECT, and starts the connection's task on the socket
/// behind the request.
pub(crate) fn accept_native<S, D>(
    mounted: &Mounted<S, D>,
    request: &Request,
    parts: &mut Parts,
    admitted: Admitted<D>,
) -> Response
where
    S: Send + Sync + 'static,
    D: Send + Sync + 'static,
{
    let Some(upgrade) = parts.extensions.remove::<OnUpgrade>() else {
        return refusal::internal("the HTTP server does not offer upgrades");
    };
    let accepted = Accepted::new(mounted, parts, admitted);
    let mut response = handshake::accept(request);
    if let Some(protocol) = accepted.protocol.as_deref().and_then(|protocol| HeaderValue::from_str(protocol).ok()) {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    accepted.add_id(&mut response);
    tokio::spawn(serve(upgrade, accepted.conn, Arc::clone(&mounted.routing)).instrument(tracing::Span::current()));
    response
}

async fn serve<D: Send + Sync + 'static>(upgrade: OnUpgrade, conn: Arc<ConnInner<D>>, routing: Arc<Routing<D>>) {
    let driver = match upgrade.await {
        Ok(upgraded) => {
            let (io, rest) = Io::of(upgraded);
            if let Io::Socket(socket) = &io {
                conn.outbox.attach(Arc::clone(socket));
            }
            let transport = NativeTransport::new(io, rest, conn.config());
            Driver::new(transport, conn, routing)
        }
        Err(error) => {
            tracing::debug!(conn = %conn.id, %error, "the client was gone before the upgrade was complete");
            return;
        }
    };
    driver.await;
}
