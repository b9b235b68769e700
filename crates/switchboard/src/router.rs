//! The router: which handler takes which message, and what happens around it.

mod call;
mod hooks;
mod mount;
mod mounted;
mod table;

use std::{any::Any, fmt, marker::PhantomData, sync::Arc};

use bytes::Bytes;
use switchboard_core::{AnyMessage, MessageSet};

pub use self::mount::{Endpoint, MountedRouter, ws_route};
pub(crate) use self::{
    call::{Call, CallId, KeptCall},
    mounted::{Mounted, MountedSettings, OneHook, Routing},
    table::{Route, StateScope},
};
use self::{hooks::Hooks, table::Table};
use crate::{
    CloseReason, Config, Failure, Handler, Hook, Hub, OriginPolicy, RawText, TokenSources, TransportKind,
    extract::{Setup, Step},
    handler,
    upgrade::{Authenticate, Authenticated, Authenticator, Open},
};

/// Routes messages to handlers, and connections to hooks.
///
/// `S` is the application's state, inferred from the axum router that it is mounted in. `D` is the
/// data of a connection, which [`authenticate`](Self::authenticate) returns. `Out` restricts what
/// may be sent, see [`sending`](WsRouter::sending). The order of calls does not matter.
///
/// ```
/// use axum::{Router, extract::State};
/// use switchboard::{BearerToken, Conn, WsError, WsRouter, ws_message, ws_route, ws_rpc};
///
/// #[derive(Clone)]
/// struct App;
///
/// struct User {
///     name: String,
/// }
///
/// #[ws_message("SUM")]
/// struct Sum {
///     result: f64,
/// }
///
/// #[ws_rpc("ADD", response = Sum)]
/// struct Add {
///     a: f64,
///     b: f64,
/// }
///
/// async fn add(conn: Conn<User>, add: Add) -> Result<Sum, WsError> {
///     println!("{} adds", conn.data().name);
///     Ok(Sum { result: add.a + add.b })
/// }
///
/// let ws = WsRouter::new()
///     .authenticate(async |token: BearerToken, State(_): State<App>| {
///         if token.as_str() == "secret" {
///             Ok(User { name: "Ann".into() })
///         } else {
///             Err(axum::http::StatusCode::UNAUTHORIZED)
///         }
///     })
///     .on(add);
/// let app: Router = Router::new().route("/ws", ws_route(ws)).with_state(App);
/// # let _ = app;
/// ```
#[must_use]
pub struct WsRouter<S = (), D = (), Out = AnyMessage, A = Open> {
    table: Table<D>,
    hooks: Hooks<D>,
    steps: Vec<Step<S>>,
    settings: Settings,
    authenticate: Option<Authenticate<S, D>>,
    kind: PhantomData<fn() -> (Out, A)>,
}

/// What does not depend on the router's types. A router that is merged into another loses its own.
#[derive(Clone)]
struct Settings {
    hub: Option<Hub>,
    config: Config,
    origin: OriginPolicy,
    tokens: TokenSources,
    protocols: Vec<String>,
    transport: TransportKind,
}

impl<S, D> WsRouter<S, D>
where
    S: Clone + Send + Sync + 'static,
    D: Send + Sync + 'static,
{
    /// A router that may send any message.
    pub fn new() -> Self {
        Self::empty()
    }

    /// A router whose handlers may send the messages of the set `U` only: another one is a compile
    /// error. Handlers then take `Conn<D, U>`.
    pub fn sending<U: MessageSet>() -> WsRouter<S, D, U> {
        WsRouter::empty()
    }
}

impl<S, D> Default for WsRouter<S, D>
where
    S: Clone + Send + Sync + 'static,
    D: Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<S, D, Out, A> WsRouter<S, D, Out, A>
where
    S: Clone + Send + Sync + 'static,
    D: Send + Sync + 'static,
    Out: MessageSet,
{
    fn empty() -> Self {
        Self {
            table: Table::default(),
            hooks: Hooks::default(),
            steps: Vec::new(),
            settings: Settings {
                hub: None,
                config: Config::new(),
                origin: OriginPolicy::same_origin(),
                tokens: TokenSources::default(),
                protocols: Vec::new(),
                transport: TransportKind::default(),
            },
            authenticate: None,
            kind: PhantomData,
        }
    }

    fn with_kind<B>(self) -> WsRouter<S, D, Out, B> {
        WsRouter {
            table: self.table,
            hooks: self.hooks,
            steps: self.steps,
            settings: self.settings,
            authenticate: self.authenticate,
            kind: PhantomData,
        }
    }

    /// Adds a handler. Which message it handles is the type of its last argument.
    ///
    /// # Panics
    ///
    /// If the message has a handler already; the text names both.
    #[track_caller]
    pub fn on<H, X>(self, handler: H) -> Self
    where
        H: Handler<X, S, D, Out>,
    {
        self.on_named(std::any::type_name::<H>(), handler)
    }

    /// As [`on`](Self::on), for handlers that are generated closures.
    #[doc(hidden)]
    #[track_caller]
    pub fn on_named<H, X>(mut self, name: &'static str, handler: H) -> Self
    where
        H: Handler<X, S, D, Out>,
    {
        self.set_up(H::setup);
        self.table.insert(Route::new::<H::Message>(name, handler::erase(handler)));
        self
    }

    /// Called when a connection is open, before its first message is handled. What arrives
    /// meanwhile waits. If it fails, panics or takes longer than
    /// [`hook_timeout`](Config::hook_timeout), the connection is closed with 1011.
    ///
    /// Several hooks run in the order in which they were added.
    pub fn on_open<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, ()>,
    {
        self.set_up(H::setup);
        self.hooks.open.push(OneHook::new(handler::erase_hook(hook)));
        self
    }

    /// Called once when a connection has ended, however it did, unless the runtime itself shuts
    /// down. It can still publish; its subscriptions end after it.
    pub fn on_close<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, CloseReason>,
    {
        self.set_up(H::setup);
        self.hooks.close.push(OneHook::new(handler::erase_hook(hook)));
        self
    }

    /// Called with every message that failed, after the client was told: bad envelopes, invalid
    /// payloads, errors and panics of handlers. The next message waits for it.
    pub fn on_error<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, Failure>,
    {
        self.set_up(H::setup);
        self.hooks.error.push(OneHook::new(handler::erase_hook(hook)));
        self
    }

    /// Takes text frames as they are, without an envelope: for protocols of your own. Such a
    /// router has no message handlers.
    ///
    /// # Panics
    ///
    /// If there is such a hook already; and, when mounted, if there are message handlers.
    #[track_caller]
    pub fn on_text<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, RawText>,
    {
        self.set_up(H::setup);
        let name = std::any::type_name::<H>();
        hooks::set_once(&mut self.hooks.text, "on_text", name, handler::erase_hook(hook));
        self
    }

    /// Takes binary frames. Without it they are read as UTF-8 JSON.
    ///
    /// # Panics
    ///
    /// If there is such a hook already.
    #[track_caller]
    pub fn on_binary<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, Bytes>,
    {
        self.set_up(H::setup);
        let name = std::any::type_name::<H>();
        hooks::set_once(&mut self.hooks.binary, "on_binary", name, handler::erase_hook(hook));
        self
    }

    /// Takes in the handlers and hooks of another router: its hooks run after this one's. Its
    /// settings (hub, config, origin, tokens, protocols, transport) do not count.
    ///
    /// # Panics
    ///
    /// If both handle the same message or both have a raw hook; the text names both handlers.
    #[track_caller]
    pub fn merge(mut self, other: WsRouter<S, D, Out>) -> Self {
        self.table.merge(other.table);
        self.hooks.merge(other.hooks);
        self.add_steps(other.steps);
        self
    }

    /// The hub whose topics and counts this route shares. Without it the route has its own.
    pub fn hub(mut self, hub: Hub) -> Self {
        self.settings.hub = Some(hub);
        self
    }

    /// The limits and times.
    pub fn config(mut self, config: Config) -> Self {
        self.settings.config = config;
        self
    }

    /// Which pages may connect. By default those of the same origin, and clients that are no
    /// browsers.
    pub fn origin(mut self, origin: OriginPolicy) -> Self {
        self.settings.origin = origin;
        self
    }

    /// Where [`BearerToken`](crate::BearerToken) looks for the token.
    pub fn tokens(mut self, tokens: TokenSources) -> Self {
        self.settings.tokens = tokens;
        self
    }

    /// What carries the frames of a route made by [`ws_route`]. By default
    /// [`Native`](TransportKind::Native).
    pub fn transport(mut self, transport: TransportKind) -> Self {
        self.settings.transport = transport;
        self
    }

    /// Subprotocols of the application's own, in order of preference. The first that the client
    /// offered is chosen.
    pub fn protocols<I>(mut self, protocols: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.settings.protocols = protocols.into_iter().map(Into::into).collect();
        self
    }

    fn set_up(&mut self, collect: fn(&mut Setup<S>)) {
        let mut setup = Setup::new();
        collect(&mut setup);
        self.add_steps(setup.into_steps());
    }

    fn add_steps(&mut self, steps: Vec<Step<S>>) {
        for step in steps {
            if !self.steps.iter().any(|known| known.same(&step)) {
                self.steps.push(step);
            }
        }
    }
}

impl<S, D, Out> WsRouter<S, D, Out>
where
    S: Clone + Send + Sync + 'static,
    D: Send + Sync + 'static,
    Out: MessageSet,
{
    /// Decides at the upgrade who may connect. The arguments are axum's own extractors; what the
    /// future returns is the data of the connection, or the HTTP response of a refusal.
    pub fn authenticate<F, Args, E>(mut self, authenticate: F) -> WsRouter<S, D, Out, Authenticated>
    where
        F: Authenticator<S, D, Args, E>,
    {
        self.authenticate = Some(crate::upgrade::erase_authenticator(authenticate));
        self.with_kind()
    }

    /// Gives the handlers of this router a state of their own, so that it can be merged into a
    /// router with another.
    pub fn with_state<S2>(self, state: S) -> WsRouter<S2, D, Out>
    where
        S2: Clone + Send + Sync + 'static,
    {
        let state = Arc::new(state);
        let scope = StateScope::new(Arc::clone(&state) as Arc<dyn Any + Send + Sync>);
        WsRouter {
            steps: self.steps.into_iter().map(|step| step.with_state(scope.id, Arc::clone(&state))).collect(),
            table: self.table.with_scope(&scope),
            hooks: self.hooks.with_scope(&scope),
            settings: self.settings,
            authenticate: None,
            kind: PhantomData,
        }
    }
}

impl<S, D, Out, A> fmt::Debug for WsRouter<S, D, Out, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WsRouter").field("types", &self.table.types()).finish_non_exhaustive()
    }
}
