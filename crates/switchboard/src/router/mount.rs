//! Mounting a router in axum.

use std::sync::Arc;

use axum::routing::{MethodFilter, MethodRouter, on};
use parking_lot::Mutex;
use switchboard_core::{
    MessageSet,
    envelope::{EnvelopeStyle, Wire},
};

use super::{WsRouter, client_topics};
#[cfg(any(feature = "axum-ws", test))]
use crate::upgrade::MountedRouter;
use crate::{
    conn::RouteSettings,
    dispatch::Routing,
    upgrade::{Admission, Endpoint, Mounted, Produces},
};

/// Creates an axum route from a router.
///
/// It accepts WebSocket upgrades, and extended CONNECT with the feature `http2`. Other GET requests
/// get 426, and other methods 405.
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
/// If the router has both message handlers and `on_text`, or an invalid setting.
#[track_caller]
pub fn ws_route<S, D, Out, A>(router: WsRouter<S, D, Out, A>) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
    D: Send + Sync + 'static,
    Out: MessageSet,
    A: Produces<D>,
{
    let endpoint: Endpoint<S, D, A> = Endpoint::new(router.freeze());
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
        self.check();
        let contract = self.contract("").hash().into();
        let Self { mut table, hooks, steps, mut extensions, settings, authenticate, identify, kind: _ } = self;
        // What the layers of the others insert is not known before a message passes them.
        for route in table.routes().iter().filter(|route| !route.layers.is_layered()) {
            extensions.extend(route.extensions.iter().map(|extension| (*extension, route.name)));
        }
        if hooks.text.is_none() {
            client_topics::add::<S, D, Out>(&mut table);
        }
        let route = RouteSettings {
            hub: settings.hub.unwrap_or_default(),
            config: settings.config,
            json: Wire::json(settings.envelope.clone()),
            messagepack: Wire::messagepack(settings.envelope),
            contract,
            emits: settings.emits.iter().map(|emitted| emitted.message_type).collect(),
            undeclared: Mutex::default(),
        };
        let admission = Admission {
            origin: settings.origin,
            tokens: Arc::new(settings.tokens),
            protocols: settings.protocols,
            transport: settings.transport,
            proxies: settings.proxies,
            refuse_after_accept: settings.refuse_after_accept,
            raw: hooks.text.is_some(),
        };
        route.hub.note_route();
        let routing = Arc::new(Routing::new(table, hooks, Arc::new(route)));
        Mounted { routing, steps, extensions, admission, authenticate, identify }
    }

    /// Panics if the router cannot work as it is configured.
    #[track_caller]
    fn check(&self) {
        if self.hooks.text.is_some() && !self.table.types().is_empty() {
            panic!(
                "a router with `on_text` gets every text frame unparsed, so its handlers of {:?} would never run: \
                 use one or the other",
                self.table.types(),
            );
        }
        if let Some(entry) = self.settings.origin.first_invalid() {
            panic!(
                "`{entry}` in the `OriginPolicy` is not an origin: write `scheme://host` or `scheme://host:port`, as in \
                 `https://chat.example.com` or `capacitor://localhost`, without a path; or `null`",
            );
        }
        if let Err(setting) = self.settings.config.check() {
            panic!("`Config::{setting}` is too small: no message could be handled");
        }
        if let EnvelopeStyle::PayloadKey(key) = &self.settings.envelope
            && (key == "type" || key == "meta")
        {
            panic!("`EnvelopeStyle::PayloadKey({key:?})` is reserved: choose a key other than `type` and `meta`");
        }
    }
}

#[cfg(any(feature = "axum-ws", test))]
impl<D, Out, A> WsRouter<(), D, Out, A>
where
    D: Send + Sync + 'static,
    Out: MessageSet,
{
    /// Mounts the router for upgrades inside an axum handler of your own, which creates the connection's
    /// data. Requires the feature `axum-ws`.
    ///
    /// The `Origin` is checked as by [`ws_route`]. `authenticate` is not called. axum's
    /// `WebSocketUpgrade` refuses requests that are not upgrades.
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
    /// If the router has both message handlers and `on_text`, or an invalid setting.
    #[track_caller]
    pub fn mount(self) -> MountedRouter<D> {
        MountedRouter::new(self.freeze())
    }
}
