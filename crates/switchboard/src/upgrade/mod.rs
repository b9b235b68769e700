//! The upgrade: decides who may connect, and keeps what handlers extract of the request.
//!
//! The order is: WebSocket handshake, Origin, draining, connection limits, authentication, the
//! extractors of handlers and hooks, 101. The first step that refuses determines the response.

mod authenticate;
mod endpoint;
mod handshake;
mod mounted;
mod origin;
#[cfg(feature = "test")]
mod probe;
mod proxy;
mod refusal;
mod subprotocol;
mod token;

use std::{
    net::{IpAddr, SocketAddr},
    panic::AssertUnwindSafe,
    sync::Arc,
};

#[cfg(feature = "axum-ws")]
use axum::extract::ws::WebSocketUpgrade;
use axum::{extract::ConnectInfo, response::Response};
use futures_util::FutureExt as _;
use http::{HeaderValue, StatusCode, header, request::Parts};
use hyper::upgrade::OnUpgrade;
use switchboard_core::CloseCode;
use switchboard_frame::handshake::Request;
use tracing::{Instrument as _, Span};

#[cfg(any(feature = "axum-ws", test))]
pub use self::endpoint::MountedRouter;
#[cfg(feature = "test")]
pub(crate) use self::probe::Probe;
pub(crate) use self::{
    authenticate::{Authenticate, erase as erase_authenticator},
    handshake::check as check_handshake,
    mounted::{Admission, Mounted},
    subprotocol::PROTOCOLS,
};
pub use self::{
    authenticate::{Authenticated, Authenticator, Mergeable, Open, Produces},
    endpoint::Endpoint,
    origin::OriginPolicy,
    proxy::{InvalidNetwork, TrustedProxies},
    token::{BearerToken, BearerTokenRejection, TokenSources},
};
#[cfg(feature = "axum-ws")]
use crate::transport::{self, AxumTransport};
use crate::{
    Identity,
    conn::{ConnId, ConnInner, ConnOrigin, Dialect, RouteSettings, UpgradeValues},
    dispatch::Routing,
    engine::{Driver, Session},
    guard::log_panic,
    hub::ConnectionPermit,
    metrics,
    transport::{Io, NativeTransport},
};

/// Derives a connection's identity from its data, if the data contains one.
pub(crate) type Identify<D> = Arc<dyn Fn(&D) -> Option<Identity> + Send + Sync>;

/// What an admitted upgrade passes to its connection.
pub(crate) struct Admitted<D> {
    data: D,
    identity: Option<Identity>,
    kept: UpgradeValues,
    state: Arc<dyn std::any::Any + Send + Sync>,
    client_ip: Option<IpAddr>,
    permit: Option<Box<ConnectionPermit>>,
}

/// How an upgrade is refused.
pub(crate) enum Refused {
    Http(Response),
    /// It is accepted and closed at once, since a browser hides an HTTP error from the page.
    AfterAccept(CloseCode, &'static str),
}

impl From<Response> for Refused {
    fn from(response: Response) -> Self {
        Self::Http(response)
    }
}

/// Checks the Origin and the connection limits, then runs authentication and the extractors within
/// [`upgrade_timeout`](crate::Config::upgrade_timeout).
pub(crate) async fn admit<S, D>(
    mounted: &Mounted<S, D>,
    parts: &mut Parts,
    state: &S,
    data: Option<D>,
) -> Result<Admitted<D>, Refused>
where
    S: Clone + Send + Sync + 'static,
{
    let (settings, admission) = (mounted.settings(), &mounted.admission);
    #[cfg(feature = "test")]
    Probe::tell(parts, &settings.hub);
    let peer = remote_addr(parts).map(|addr| addr.ip());
    let forwarded = peer.and_then(|peer| admission.proxies.scheme(peer, &parts.headers));
    if let Err(refusal) = admission.origin.check(parts, forwarded, &settings.hub) {
        metrics::refused("origin");
        return Err(Refused::Http(*refusal));
    }
    let hub = &settings.hub;
    if hub.is_draining() {
        metrics::refused("draining");
        return Err(refusal::unavailable("the server is restarting").into());
    }
    let client_ip = peer.map(|peer| admission.proxies.client(peer, &parts.headers));
    let full = |what| {
        metrics::refused("limit");
        Refused::Http(refusal::unavailable(what))
    };
    if hub.limits().max_connections_per_ip.is_some() && client_ip.is_none() {
        metrics::refused("limit");
        // Without this error, the limit would silently have no effect.
        let problem = "`HubBuilder::max_connections_per_ip` is set, but the client's address is not known: serve the app \
                       with `switchboard::serve`, or `into_make_service_with_connect_info::<SocketAddr>()`";
        return Err(refusal::internal(problem, hub).into());
    }
    let permit = hub.acquire_permit(client_ip).map_err(|_| full("too many connections"))?;
    let _pending = hub.begin_upgrade().ok_or_else(|| full("too many upgrades at once"))?;
    parts.extensions.insert(Arc::clone(&admission.tokens));
    let extract = async {
        let data = match (data, &mounted.authenticate) {
            (Some(data), _) => data,
            (None, Some(authenticate)) => authenticate(parts, state).await?,
            // Cannot happen: `ws_route` takes only routers that produce their data.
            (None, None) => return Err(refusal::internal("the router has no `authenticate`", hub)),
        };
        for (required, name) in &mounted.extensions {
            if let Some(missing) = required.missing_in(&parts.extensions) {
                let problem = format!(
                    "`{name}` takes an `Extension<{missing}>`, which the upgrade request does not have: add \
                     `.layer(Extension(..))` to the axum router, or insert it in a middleware of the handler"
                );
                return Err(refusal::internal(&problem, hub));
            }
        }
        let mut kept = Vec::with_capacity(mounted.steps.len());
        for step in &mounted.steps {
            step.run(parts, state, &mut kept).await?;
        }
        let identity = mounted.identify.as_ref().and_then(|identify| identify(&data));
        Ok(Admitted {
            data,
            identity,
            kept: UpgradeValues::new(kept),
            state: Arc::new(state.clone()),
            client_ip,
            permit,
        })
    };
    // A panic costs one response, not the HTTP connection.
    let extract = AssertUnwindSafe(extract).catch_unwind();
    match tokio::time::timeout(settings.config.upgrade_timeout, extract).await {
        Ok(Ok(result)) => result.map_err(|response| {
            metrics::refused("application");
            match response.status() {
                StatusCode::UNAUTHORIZED if admission.refuse_after_accept => {
                    Refused::AfterAccept(CloseCode::UNAUTHENTICATED, "Unauthorized")
                }
                StatusCode::FORBIDDEN if admission.refuse_after_accept => {
                    Refused::AfterAccept(CloseCode::FORBIDDEN, "Forbidden")
                }
                _ => Refused::Http(response),
            }
        }),
        Ok(Err(panic)) => {
            log_panic("authentication, an extractor or `identify`", panic);
            Err(refusal::internal_error().into())
        }
        Err(_) => {
            metrics::refused("timeout");
            Err(refusal::unavailable("the upgrade took too long").into())
        }
    }
}

fn remote_addr(parts: &Parts) -> Option<SocketAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0)
}

/// A connection whose task has not started yet.
pub(crate) struct Accepted<D> {
    conn: Arc<ConnInner<D>>,
    routing: Arc<Routing<D>>,
    protocol: Option<Box<str>>,
    /// The connection is already closed: no application code runs for it.
    refused: bool,
    /// The connection's task has taken over.
    begun: bool,
}

/// Ends a connection whose client disconnected before its task started.
impl<D> Drop for Accepted<D> {
    fn drop(&mut self) {
        if !self.begun {
            // Other tasks may have found it in the hub: their sends must fail.
            self.conn.outbox.close(CloseCode::ABNORMAL, "");
            self.conn.outbox.detach();
            if let Some(calls) = self.conn.existing_calls() {
                calls.end();
            }
            self.conn.hub().disconnected(&*self.conn);
        }
    }
}

impl<D: Send + Sync + 'static> Accepted<D> {
    /// Creates the connection of an admitted upgrade and registers it with the hub.
    pub(crate) fn new<S>(mounted: &Mounted<S, D>, parts: &Parts, admitted: Admitted<D>) -> Self {
        let Admitted { data, identity, kept, state, client_ip, permit } = admitted;
        let (protocol, dialect) = choose(parts, mounted.settings(), &mounted.admission);
        let settings = Arc::clone(mounted.settings());
        let remote_addr = remote_addr(parts);
        let origin = ConnOrigin { settings, state, kept, remote_addr, client_ip, dialect, permit, data };
        let conn = Arc::new(ConnInner::new(origin));
        let mut this = Self { conn, routing: Arc::clone(&mounted.routing), protocol, refused: false, begun: false };
        let conn = &this.conn;
        if dialect.extended {
            // Before the hub can find the connection: the greeting must be the first frame.
            conn.push_hello();
        }
        // Before the client learns its id and others its user: both must find it in the hub.
        conn.hub().connected(conn);
        this.refused = identity.is_some_and(|identity| conn.identify(&identity).is_err());
        if this.refused {
            metrics::refused("limit");
            conn.outbox.close(CloseCode::CONNECTION_LIMIT, "too many connections");
            conn.hub().disconnected(&**conn);
        }
        this
    }

    fn session(mut self) -> Session<D> {
        self.begun = true;
        let (conn, routing) = (Arc::clone(&self.conn), Arc::clone(&self.routing));
        // It may have been closed before its task started.
        if self.refused || conn.outbox.is_closed() {
            Session::refused(conn, routing)
        } else {
            Session::open(conn, routing)
        }
    }

    /// Creates the connection's span, a child of the upgrade request's.
    fn span(&self) -> Span {
        tracing::info_span!("ws_connection", conn = %self.conn.id)
    }

    /// Answers with 101 and starts the connection's task on axum's `WebSocket`.
    #[cfg(feature = "axum-ws")]
    pub(crate) fn on_axum(self, upgrade: WebSocketUpgrade) -> Response {
        let upgrade = transport::configure(upgrade, self.conn.config());
        let upgrade = match &self.protocol {
            Some(protocol) => upgrade.protocols([protocol.to_string()]),
            None => upgrade,
        };
        let (span, id) = (self.span(), self.conn.id);
        let mut response = upgrade.on_upgrade(move |socket| {
            let session = span.in_scope(|| self.session());
            Driver::new(AxumTransport::new(socket), session).instrument(span)
        });
        add_id(&mut response, id);
        response
    }

    /// Answers with 101, or 200 to an extended CONNECT, and starts the connection's task on the
    /// socket behind the request.
    pub(crate) fn natively(self, request: &Request, parts: &mut Parts) -> Response {
        let Some(upgrade) = parts.extensions.remove::<OnUpgrade>() else {
            return refusal::internal(
                "the HTTP server does not support upgrades: serve the app with `switchboard::serve` or `axum::serve`",
                self.conn.hub(),
            );
        };
        let mut response = handshake::accept(request);
        if let Some(protocol) = self.protocol.as_deref().and_then(|protocol| HeaderValue::from_str(protocol).ok()) {
            response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        add_id(&mut response, self.conn.id);
        let span = self.span();
        // Boxed: it is needed only once, and the task's memory lives as long as the connection.
        tokio::spawn(Box::new(self).serve(upgrade).instrument(span));
        response
    }

    async fn serve(self: Box<Self>, upgrade: OnUpgrade) {
        let driver = match upgrade.await {
            Ok(upgraded) => {
                let (io, rest) = Io::of(upgraded);
                if let Io::Socket(socket) = &io {
                    self.conn.outbox.attach(Arc::clone(socket));
                }
                let transport = NativeTransport::new(io, rest, self.conn.config());
                Driver::new(transport, self.session())
            }
            Err(error) => {
                tracing::debug!(%error, "the client disconnected before the upgrade was complete");
                return;
            }
        };
        driver.await;
    }
}

impl Accepted<()> {
    /// Creates a connection that is accepted only to be closed with this code.
    pub(crate) fn refused<S, X>(mounted: &Mounted<S, X>, parts: &Parts, code: CloseCode, reason: &str) -> Self {
        let settings = mounted.settings();
        let (protocol, dialect) = choose(parts, settings, &mounted.admission);
        let remote_addr = remote_addr(parts);
        let conn = Arc::new(ConnInner::new(ConnOrigin {
            settings: Arc::clone(settings),
            state: Arc::new(()),
            kept: UpgradeValues::default(),
            remote_addr,
            client_ip: None,
            dialect,
            permit: None,
            data: (),
        }));
        conn.outbox.close(code, reason);
        let routing = Arc::new(Routing::new(Default::default(), Default::default(), Arc::clone(settings)));
        Self { conn, routing, protocol, refused: true, begun: false }
    }
}

fn add_id(response: &mut Response, id: ConnId) {
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert("x-client-id", value);
    }
}

/// Chooses the subprotocol and the dialect that belongs to it.
fn choose(parts: &Parts, settings: &RouteSettings, admission: &Admission) -> (Option<Box<str>>, Dialect) {
    let protocol = subprotocol::choose(parts, admission);
    let (extended, messagepack) = match protocol.as_deref() {
        Some(subprotocol::JSON) if !admission.raw => (true, false),
        Some(subprotocol::MESSAGEPACK) if !admission.raw => (true, true),
        _ => (false, false),
    };
    let wire = if messagepack { &settings.messagepack } else { &settings.json };
    (protocol.map(String::into_boxed_str), Dialect { extended, messagepack, standard: wire.is_standard() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_upgrade_takes_no_more_messages() {
        let mounted = crate::WsRouter::<()>::new().mount();
        let settings = Arc::clone(mounted.settings());
        let (remote_addr, client_ip, permit, dialect) = (None, None, None, Dialect::default());
        let state = Arc::new(());
        let routing = Arc::new(Routing::new(Default::default(), Default::default(), Arc::clone(&settings)));
        let origin = ConnOrigin {
            settings,
            state,
            kept: UpgradeValues::default(),
            remote_addr,
            client_ip,
            dialect,
            permit,
            data: (),
        };
        let conn = Arc::new(ConnInner::new(origin));
        let accepted = Accepted { conn: Arc::clone(&conn), routing, protocol: None, refused: false, begun: false };
        assert!(!conn.outbox.is_closed());
        drop(accepted);
        assert!(conn.outbox.is_closed());
    }

    /// The memory of an idle connection. tokio rounds its task up to a multiple of 128 bytes.
    #[test]
    fn a_connection_is_small() {
        let router = crate::WsRouter::<()>::new().mount();
        let (parts, ()) = http::Request::new(()).into_parts();
        let accepted = Accepted::refused(router.mounted(), &parts, CloseCode::NORMAL, "");
        let upgrade = hyper::upgrade::on(http::Request::new(()));
        let task = Box::new(accepted).serve(upgrade).instrument(Span::none());
        assert!(size_of_val(&task) <= 384, "{}", size_of_val(&task));
        assert!(size_of::<ConnInner<()>>() <= 432, "{}", size_of::<ConnInner<()>>());
    }
}
