//! The router: handlers, hooks, layers and settings of a route.

mod client_topics;
mod codes;
mod contract;
mod hooks;
mod mount;
mod options;
mod settings;

use std::{any::Any, fmt, marker::PhantomData, panic::Location, sync::Arc};

use switchboard_core::{AnyMessage, MessageSet};

use self::settings::Settings;
pub use self::{mount::ws_route, options::RouteOptions};
use crate::{
    Handler,
    dispatch::{Hooks, Needs, Route, Table},
    extract::{RequiredExtension, Setup, StateScope, Step, collect_steps_of_layers},
    handler,
    middleware::{self, MessageLayer},
    upgrade::{Authenticate, Authenticated, Authenticator, Identify, Mergeable, Open},
};

/// Routes messages to handlers, and connections to hooks.
///
/// `S` is the application's state, inferred from the axum router in which it is mounted. `D` is the
/// data of a connection, which [`authenticate`](Self::authenticate) returns. `Out` is the set of
/// messages that handlers may send: see [`sending`](WsRouter::sending). `A` says whether the router
/// authenticates: a function that returns one returns `WsRouter<S, D, AnyMessage, Authenticated>`, or
/// the `MethodRouter<S>` of [`ws_route`](crate::ws_route).
///
/// The order of calls matters only for [layers](Self::layer), which wrap the handlers added before
/// them, and for hooks of the same event, which run in the order in which they were added.
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
///         if token.matches("secret") {
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
    /// Extensions that hooks take, with the names of the hooks.
    extensions: Vec<(RequiredExtension, &'static str)>,
    settings: Settings,
    authenticate: Option<Authenticate<S, D>>,
    identify: Option<Identify<D>>,
    kind: PhantomData<fn() -> (Out, A)>,
}

impl<S, D> WsRouter<S, D>
where
    S: Clone + Send + Sync + 'static,
    D: Send + Sync + 'static,
{
    /// Creates a router whose handlers may send any message.
    pub fn new() -> Self {
        Self::empty()
    }

    /// Creates a router whose handlers may send only messages of the set `U`; sending another is a
    /// compile error. Handlers take `Conn<D, U>`.
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
            extensions: Vec::new(),
            settings: Settings::default(),
            authenticate: None,
            identify: None,
            kind: PhantomData,
        }
    }

    fn with_kind<B>(self) -> WsRouter<S, D, Out, B> {
        WsRouter {
            table: self.table,
            hooks: self.hooks,
            steps: self.steps,
            extensions: self.extensions,
            settings: self.settings,
            authenticate: self.authenticate,
            identify: self.identify,
            kind: PhantomData,
        }
    }

    /// Adds a handler for the message that is its last argument.
    ///
    /// # Panics
    ///
    /// If the message has a handler already. The panic names both.
    #[track_caller]
    pub fn on<H, X>(self, handler: H) -> Self
    where
        H: Handler<X, S, D, Out>,
    {
        self.add(std::any::type_name::<H>(), handler, RouteOptions::new())
    }

    /// Adds a handler with options: concurrency, a timeout, running to completion, layers.
    ///
    /// # Panics
    ///
    /// As [`on`](Self::on).
    #[track_caller]
    pub fn on_with<H, X, L>(self, handler: H, options: RouteOptions<L>) -> Self
    where
        H: Handler<X, S, D, Out>,
        L: MessageLayer<D>,
    {
        self.add(std::any::type_name::<H>(), handler, options)
    }

    /// Adds a handler under a name of its own: for closures that macros generate.
    #[doc(hidden)]
    #[track_caller]
    pub fn on_named<H, X>(self, name: &'static str, handler: H) -> Self
    where
        H: Handler<X, S, D, Out>,
    {
        self.add(name, handler, RouteOptions::new())
    }

    #[track_caller]
    fn add<H, X, L>(mut self, name: &'static str, handler: H, options: RouteOptions<L>) -> Self
    where
        H: Handler<X, S, D, Out>,
        L: MessageLayer<D>,
    {
        let needs = self.set_up(H::setup);
        let handler = handler::erase(handler);
        let RouteOptions { handling, codes, layer } = options;
        let layers = self.around(&layer, middleware::Route::default());
        let mut route = Route::new::<H::Message>(name, handler, handling, needs, H::describe, layers);
        route.codes = codes.iter().collect();
        self.table.insert(route);
        self
    }

    /// Adds a [layer](crate::middleware) around all handlers added so far, and around their layers.
    /// Hooks, and messages that reach no handler, do not pass through it.
    ///
    /// Any [`tower::Layer`] works whose service takes a [`WsRequest`](crate::WsRequest) and returns a
    /// [`WsReply`](crate::WsReply). Errors other than [`WsError`](crate::WsError) become `INTERNAL`, except
    /// tower's for an elapsed timeout (`DEADLINE_EXCEEDED`) and for overload (`RESOURCE_EXHAUSTED`).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use switchboard::{WsRouter, ws_message};
    /// use tower::{limit::ConcurrencyLimitLayer, timeout::TimeoutLayer};
    ///
    /// #[ws_message("PING")]
    /// struct Ping;
    ///
    /// async fn ping(_: Ping) {}
    ///
    /// let ws = WsRouter::<()>::new()
    ///     .on(ping)
    ///     .layer(ConcurrencyLimitLayer::new(100))
    ///     .layer(TimeoutLayer::new(Duration::from_secs(5)));
    /// # let _ = ws;
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "a layer is given away, as everywhere")]
    #[track_caller]
    pub fn layer<L: MessageLayer<D>>(mut self, layer: L) -> Self {
        let mut table = std::mem::take(&mut self.table);
        if table.routes().is_empty() {
            let location = Location::caller();
            tracing::warn!(%location, "`layer` wraps no handler: it applies to those that were added before it");
        }
        for route in table.routes_mut() {
            route.layers = self.around(&layer, std::mem::take(&mut route.layers));
        }
        self.table = table;
        self
    }

    /// Applies a layer, and adds the steps that its extractors need.
    fn around(&mut self, layer: &impl MessageLayer<D>, route: middleware::Route<D>) -> middleware::Route<D> {
        let (route, steps) = collect_steps_of_layers(|| layer.around(route));
        // They have a state of their own.
        self.add_steps(steps.into_iter().map(|step| step.with_state(0, Arc::new(()))).collect());
        route
    }

    /// Adds the handlers and hooks of another router, with their layers.
    ///
    /// Hooks keep the order of calls: those of `other` run after the ones added before `merge`. Its
    /// [`identify`](Self::identify) applies only if this router has none. All other settings belong on
    /// the router that is mounted; one with `authenticate` cannot be merged.
    ///
    /// # Panics
    ///
    /// If both handle the same message or both have a raw hook; the panic names both handlers. If
    /// `other` has settings: another hub, config, origin, tokens, protocols, transport, trusted proxies,
    /// envelope or `refuse_after_accept`; the panic names where they were set.
    #[track_caller]
    pub fn merge<B: Mergeable>(mut self, other: WsRouter<S, D, Out, B>) -> Self {
        self.table.merge(other.table);
        self.hooks.merge(other.hooks);
        self.add_steps(other.steps);
        self.extensions.extend(other.extensions);
        self.identify = self.identify.or(other.identify);
        self.settings.merge(other.settings);
        self
    }

    /// Merges another router with a prefix in front of the types that it handles: under `chat.`, clients
    /// send its `JOIN` as `chat.JOIN`. The types of replies and published messages do not change. Its
    /// layers see [both types](crate::WsRequest::declared_type).
    ///
    /// ```
    /// use switchboard::{WsRouter, ws_message};
    ///
    /// #[ws_message("JOIN")]
    /// struct Join {
    ///     room: String,
    /// }
    ///
    /// async fn join(_: Join) {}
    ///
    /// let chat = WsRouter::<()>::new().on(join);
    /// let ws = WsRouter::<()>::new().nest("chat.", chat);
    /// assert_eq!(ws.contract("/ws").inbound.messages[0].message_type, "chat.JOIN");
    /// ```
    ///
    /// # Panics
    ///
    /// As [`merge`](Self::merge), and if a type with the prefix is not a valid type tag.
    #[track_caller]
    pub fn nest<B: Mergeable>(self, prefix: &str, mut other: WsRouter<S, D, Out, B>) -> Self {
        other.table = other.table.with_prefix(prefix);
        self.merge(other)
    }

    /// Adds the steps that the arguments need. Returns what else they need.
    fn set_up(&mut self, collect: fn(&mut Setup<S>)) -> Needs {
        let mut setup = Setup::new();
        collect(&mut setup);
        let needs = Needs { keeps_frame: setup.keeps_frame(), extensions: setup.required_extensions() };
        self.add_steps(setup.into_steps());
        needs
    }

    fn set_up_hook(&mut self, name: &'static str, collect: fn(&mut Setup<S>)) {
        let needs = self.set_up(collect);
        self.extensions.extend(needs.extensions.into_iter().map(|extension| (extension, name)));
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
    /// Sets the function that authenticates upgrades. Its arguments are axum extractors. `Ok` is the
    /// connection's data, `Err` the HTTP response of a refused upgrade.
    pub fn authenticate<F, Args, E>(mut self, authenticate: F) -> WsRouter<S, D, Out, Authenticated>
    where
        F: Authenticator<S, D, Args, E>,
    {
        self.authenticate = Some(crate::upgrade::erase_authenticator(authenticate));
        self.with_kind()
    }

    /// Provides the state of this router's handlers, so that it can be merged into a router with
    /// another state.
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
            extensions: self.extensions,
            settings: self.settings,
            authenticate: None,
            identify: self.identify,
            kind: PhantomData,
        }
    }
}

impl<S, D, Out, A> fmt::Debug for WsRouter<S, D, Out, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WsRouter").field("types", &self.table.types()).finish_non_exhaustive()
    }
}
