//! From a router to a route of axum's.

use std::{fmt, marker::PhantomData, sync::Arc};

#[cfg(feature = "axum-ws")]
use axum::extract::{FromRequestParts as _, ws::WebSocketUpgrade};
use axum::{
    extract::Request,
    handler::Handler as AxumHandler,
    response::{IntoResponse as _, Response},
    routing::{MethodFilter, MethodRouter, on},
};
use futures_util::future::BoxFuture;
#[cfg(feature = "axum-ws")]
use http::HeaderValue;
use http::{Method, StatusCode, header, request::Parts};
use switchboard_core::MessageSet;
use switchboard_frame::handshake::Request as Handshake;

use super::{Mounted, WsRouter};
use crate::{
    TransportKind,
    upgrade::{self, Accepted, Produces, Refused},
};

/// The methods of an upgrade.
const ALLOW: &str = if cfg!(feature = "http2") { "GET,CONNECT" } else { "GET" };

/// Makes a route of a router: it answers WebSocket upgrades (with the feature `http2` also extended
/// CONNECT), other GET requests with 426, and other methods with 405.
///
/// ```
/// use switchboard::{WsRouter, ws_route};
///
/// let app: axum::Router = axum::Router::new().route("/ws/{room}", ws_route(WsRouter::new()));
/// # let _ = app;
/// ```
///
/// # Panics
///
/// If the router has both message handlers and `on_text`, or a setting that cannot work.
#[track_caller]
pub fn ws_route<S, D, Out, A>(router: WsRouter<S, D, Out, A>) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
    D: Send + Sync + 'static,
    Out: MessageSet,
    A: Produces<D>,
{
    let endpoint: Endpoint<S, D, A> = Endpoint { mounted: Arc::new(router.freeze()), kind: PhantomData };
    on(MethodFilter::GET.or(MethodFilter::CONNECT), endpoint)
}

impl<S, D, Out, A> WsRouter<S, D, Out, A>
where
    S: Clone + Send + Sync + 'static,
    D: Send + Sync + 'static,
    Out: MessageSet,
{
    #[track_caller]
    fn freeze(self) -> Mounted<S, D> {
        let hash = self.contract("").hash();
        Mounted::new(self.table, self.hooks, self.steps, self.settings, hash, self.authenticate, self.identify)
    }
}

#[cfg(any(feature = "axum-ws", test))]
impl<D, Out, A> WsRouter<(), D, Out, A>
where
    D: Send + Sync + 'static,
    Out: MessageSet,
{
    /// Accepts an upgrade inside an axum handler of your own, which has done whatever it wanted
    /// with the request before, and made the connection's data.
    ///
    /// The Origin is checked here as on a route of [`ws_route`]'s; refusals of the upgrade itself
    /// are those of axum's `WebSocketUpgrade`. `authenticate` is not called. Needs the feature `axum-ws`.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use axum::{extract::{State, ws::WebSocketUpgrade}, http::request::Parts, response::Response};
    /// use switchboard::{MountedRouter, WsRouter};
    ///
    /// struct User;
    ///
    /// async fn chat(State(ws): State<MountedRouter<User>>, upgrade: WebSocketUpgrade, parts: Parts) -> Response {
    ///     ws.on_upgrade(upgrade, parts, User).await
    /// }
    ///
    /// let router = WsRouter::<(), User>::new();
    /// let app: axum::Router = axum::Router::new().route("/", axum::routing::any(chat)).with_state(router.mount());
    /// # let _ = app;
    /// ```
    ///
    /// # Panics
    ///
    /// If the router has both message handlers and `on_text`, or a setting that cannot work.
    #[track_caller]
    pub fn mount(self) -> MountedRouter<D> {
        MountedRouter { mounted: Arc::new(self.freeze()) }
    }
}

/// A finished router for upgrades that the application's own handlers accept. Cheap to clone. Needs the
/// feature `axum-ws`.
#[cfg(any(feature = "axum-ws", test))]
pub struct MountedRouter<D = ()> {
    mounted: Arc<Mounted<(), D>>,
}

#[cfg(feature = "axum-ws")]
impl<D: Send + Sync + 'static> MountedRouter<D> {
    /// Accepts an upgrade and serves the connection with this router: see [`WsRouter::mount`].
    ///
    /// A [`BearerToken`](crate::BearerToken) that the handler extracts looks in the default
    /// [`TokenSources`](crate::TokenSources), not in this router's.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, there is no connection.
    pub async fn on_upgrade(&self, upgrade: WebSocketUpgrade, mut parts: Parts, data: D) -> Response {
        match upgrade::admit(&self.mounted, &mut parts, &(), Some(data)).await {
            Ok(admitted) => Accepted::new(&self.mounted, &parts, admitted).on_axum(upgrade),
            Err(Refused::Http(response)) => response,
            Err(Refused::AfterAccept(code, reason)) => {
                Accepted::refused(&self.mounted.settings, &parts, code, reason).on_axum(upgrade)
            }
        }
    }
}

#[cfg(test)]
impl<D> MountedRouter<D> {
    pub(crate) fn settings(&self) -> &Arc<super::MountedSettings> {
        &self.mounted.settings
    }
}

#[cfg(any(feature = "axum-ws", test))]
impl<D> Clone for MountedRouter<D> {
    fn clone(&self) -> Self {
        Self { mounted: Arc::clone(&self.mounted) }
    }
}

#[cfg(any(feature = "axum-ws", test))]
impl<D> fmt::Debug for MountedRouter<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MountedRouter").finish_non_exhaustive()
    }
}

/// The axum handler behind [`ws_route`].
pub struct Endpoint<S, D, A> {
    mounted: Arc<Mounted<S, D>>,
    kind: PhantomData<fn() -> A>,
}

impl<S, D, A> Clone for Endpoint<S, D, A> {
    fn clone(&self) -> Self {
        Self { mounted: Arc::clone(&self.mounted), kind: PhantomData }
    }
}

impl<S, D, A> fmt::Debug for Endpoint<S, D, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").finish_non_exhaustive()
    }
}

impl<S, D, A> AxumHandler<(), S> for Endpoint<S, D, A>
where
    S: Clone + Send + Sync + 'static,
    D: Send + Sync + 'static,
    A: Produces<D>,
{
    type Future = BoxFuture<'static, Response>;

    fn call(self, request: Request, state: S) -> Self::Future {
        Box::pin(async move {
            let (mut parts, _) = request.into_parts();
            if parts.method == Method::HEAD {
                // axum answers it as GET where nothing else does.
                return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, ALLOW)]).into_response();
            }
            let handshake = match upgrade::check_handshake(&parts) {
                Ok(request) => request,
                Err(refusal) => return *refusal,
            };
            match upgrade::admit(&self.mounted, &mut parts, &state, A::open_data()).await {
                Ok(admitted) => {
                    let accepted = Accepted::new(&self.mounted, &parts, admitted);
                    accept(accepted, self.mounted.settings.transport, &handshake, parts).await
                }
                Err(Refused::Http(response)) => response,
                Err(Refused::AfterAccept(code, reason)) => {
                    let accepted = Accepted::refused(&self.mounted.settings, &parts, code, reason);
                    accept(accepted, self.mounted.settings.transport, &handshake, parts).await
                }
            }
        })
    }
}

async fn accept<D>(accepted: Accepted<D>, kind: TransportKind, handshake: &Handshake, mut parts: Parts) -> Response
where
    D: Send + Sync + 'static,
{
    match kind {
        TransportKind::Native => accepted.natively(handshake, &mut parts),
        #[cfg(feature = "axum-ws")]
        TransportKind::Axum => {
            // axum understands these headers in their plain forms only; ours were checked above.
            parts.headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            parts.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
                Ok(upgrade) => accepted.on_axum(upgrade),
                Err(rejection) => rejection.into_response(),
            }
        }
    }
}
