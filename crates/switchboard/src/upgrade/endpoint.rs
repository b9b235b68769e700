//! The axum handlers of upgrades.

use std::{fmt, marker::PhantomData, sync::Arc};

#[cfg(feature = "axum-ws")]
use axum::extract::{FromRequestParts as _, ws::WebSocketUpgrade};
use axum::{
    extract::Request,
    handler::Handler as AxumHandler,
    response::{IntoResponse as _, Response},
};
use futures_util::future::BoxFuture;
#[cfg(feature = "axum-ws")]
use http::HeaderValue;
use http::{Method, StatusCode, header, request::Parts};
use switchboard_frame::handshake::Request as Handshake;

use super::{Accepted, Mounted, Produces, Refused, admit, check_handshake};
use crate::TransportKind;

/// The methods of an upgrade.
const ALLOW: &str = if cfg!(feature = "http2") { "GET,CONNECT" } else { "GET" };

/// A finished router that serves upgrades accepted in the application's own handlers.
///
/// Cheap to clone. Requires the feature `axum-ws`.
#[cfg(any(feature = "axum-ws", test))]
pub struct MountedRouter<D = ()> {
    mounted: Arc<Mounted<(), D>>,
}

#[cfg(feature = "axum-ws")]
impl<D: Send + Sync + 'static> MountedRouter<D> {
    /// Accepts an upgrade and serves the connection with this router. See
    /// [`WsRouter::mount`](crate::WsRouter::mount).
    ///
    /// A [`BearerToken`](crate::BearerToken) extracted by the handler uses the default
    /// [`TokenSources`](crate::TokenSources), not this router's.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, no connection is opened.
    pub async fn on_upgrade(&self, upgrade: WebSocketUpgrade, mut parts: Parts, data: D) -> Response {
        match admit(&self.mounted, &mut parts, &(), Some(data)).await {
            Ok(admitted) => Accepted::new(&self.mounted, &parts, admitted).on_axum(upgrade),
            Err(Refused::Http(response)) => response,
            Err(Refused::AfterAccept(code, reason)) => {
                Accepted::refused(&self.mounted, &parts, code, reason).on_axum(upgrade)
            }
        }
    }
}

#[cfg(any(feature = "axum-ws", test))]
impl<D> MountedRouter<D> {
    pub(crate) fn new(mounted: Mounted<(), D>) -> Self {
        Self { mounted: Arc::new(mounted) }
    }

    #[cfg(test)]
    pub(crate) fn settings(&self) -> &Arc<crate::conn::RouteSettings> {
        self.mounted.settings()
    }

    #[cfg(test)]
    pub(crate) fn mounted(&self) -> &Mounted<(), D> {
        &self.mounted
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

/// The axum handler behind [`ws_route`](crate::ws_route).
pub struct Endpoint<S, D, A> {
    mounted: Arc<Mounted<S, D>>,
    kind: PhantomData<fn() -> A>,
}

impl<S, D, A> Endpoint<S, D, A> {
    pub(crate) fn new(mounted: Mounted<S, D>) -> Self {
        Self { mounted: Arc::new(mounted), kind: PhantomData }
    }
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
                // axum routes HEAD to GET handlers by default.
                return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, ALLOW)]).into_response();
            }
            let handshake = match check_handshake(&parts) {
                Ok(request) => request,
                Err(refusal) => return *refusal,
            };
            match admit(&self.mounted, &mut parts, &state, A::open_data()).await {
                Ok(admitted) => {
                    let accepted = Accepted::new(&self.mounted, &parts, admitted);
                    accept(accepted, self.mounted.admission.transport, &handshake, parts).await
                }
                Err(Refused::Http(response)) => response,
                Err(Refused::AfterAccept(code, reason)) => {
                    let accepted = Accepted::refused(&self.mounted, &parts, code, reason);
                    accept(accepted, self.mounted.admission.transport, &handshake, parts).await
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
            // axum accepts these headers only in their plain forms; they were checked above.
            parts.headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            parts.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
                Ok(upgrade) => accepted.on_axum(upgrade),
                Err(rejection) => rejection.into_response(),
            }
        }
    }
}
