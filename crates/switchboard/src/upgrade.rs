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
use http::{HeaderValue, request::Parts};
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
    router::Mounted,
    transport::{self, AxumTransport},
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

/// Answers with 101 and starts the connection's task.
pub(crate) fn accept<S, D>(
    mounted: &Mounted<S, D>,
    upgrade: WebSocketUpgrade,
    parts: &Parts,
    admitted: Admitted<D>,
) -> Response
where
    S: Send + Sync + 'static,
    D: Send + Sync + 'static,
{
    let settings = &mounted.settings;
    let id = ConnId::new();
    let conn = Arc::new(ConnInner {
        id,
        outbox: Outbox::new(settings.config.max_outbound_bytes),
        subscriptions: Default::default(),
        hub: settings.hub.clone(),
        config: settings.config,
        state: admitted.state,
        kept: admitted.kept,
        remote_addr: parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0),
        data: admitted.data,
    });
    let routing = Arc::clone(&mounted.routing);
    let upgrade = transport::configure(upgrade, &settings.config);
    let upgrade = match subprotocol::choose(parts, &settings.protocols) {
        Some(protocol) => upgrade.protocols([protocol]),
        None => upgrade,
    };
    let span = tracing::Span::current();
    let mut response = upgrade.on_upgrade(move |socket| {
        let driver = Driver::new(AxumTransport::new(socket), conn, routing);
        driver.instrument(span)
    });
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert("x-client-id", value);
    }
    response
}
