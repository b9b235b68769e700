//! The application under test.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    panic::Location,
    sync::atomic::{AtomicU16, Ordering::Relaxed},
    time::Duration,
};

use axum::Router;
use switchboard_core::MessageSet;

use super::{Connect, HttpClient, PATIENCE, QUIET, failure::fail};
use crate::{Hub, Produces, WsRouter, upgrade::Probe, ws_route};

/// An application under test. Connections to it are in memory.
///
/// Requires a tokio runtime. With a paused clock, as in `#[tokio::test(start_paused = true)]`,
/// deadlines, heartbeats and timeouts take no real time.
///
/// See the [module](super) for an example.
pub struct TestApp {
    pub(super) router: Router,
    pub(super) path: String,
    pub(super) probe: Probe,
    pub(super) patience: Duration,
    next_port: AtomicU16,
}

impl TestApp {
    /// Creates an application from a router without state.
    ///
    /// # Panics
    ///
    /// As [`ws_route`].
    #[track_caller]
    #[must_use]
    pub fn new<D, Out, A>(router: WsRouter<(), D, Out, A>) -> Self
    where
        D: Send + Sync + 'static,
        Out: MessageSet,
        A: Produces<D>,
    {
        Self::with_state(router, ())
    }

    /// Creates an application from a router and its state.
    ///
    /// ```
    /// use axum::extract::State;
    /// use switchboard::{WsRouter, test::TestApp, ws_message, ws_rpc};
    ///
    /// #[ws_message("GREETING")]
    /// struct Greeting {
    ///     text: String,
    /// }
    ///
    /// #[ws_rpc("GREET", response = Greeting)]
    /// struct Greet;
    ///
    /// async fn greet(State(name): State<&'static str>, _: Greet) -> Greeting {
    ///     Greeting { text: format!("Hello from {name}") }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let app = TestApp::with_state(WsRouter::new().on(greet), "Switchboard");
    /// let mut ann = app.connect().await?;
    /// assert_eq!(ann.call(Greet).await?.text, "Hello from Switchboard");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// As [`ws_route`].
    #[track_caller]
    #[must_use]
    pub fn with_state<S, D, Out, A>(mut router: WsRouter<S, D, Out, A>, state: S) -> Self
    where
        S: Clone + Send + Sync + 'static,
        D: Send + Sync + 'static,
        Out: MessageSet,
        A: Produces<D>,
    {
        let hub = router.own_hub().clone();
        Self::axum(Router::new().route("/", ws_route(router)).with_state(state), "/").with_hub(&hub)
    }

    /// Creates an application from an axum router. [`connect`](Self::connect) connects to `path`.
    ///
    /// ```
    /// use axum::{Router, extract::Path};
    /// use switchboard::{WsRouter, test::TestApp, ws_message, ws_route};
    ///
    /// #[ws_message("WELCOME")]
    /// struct Welcome {
    ///     room: String,
    /// }
    ///
    /// #[ws_message("HELLO")]
    /// struct Hello;
    ///
    /// async fn hello(Path(room): Path<String>, _: Hello) -> Welcome {
    ///     Welcome { room }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let router = Router::new().route("/rooms/{room}", ws_route(WsRouter::new().on(hello)));
    /// let app = TestApp::axum(router, "/rooms/lobby");
    /// let mut ann = app.connect().await?;
    /// ann.send(Hello).await;
    /// assert_eq!(ann.expect::<Welcome>().await.room, "lobby");
    /// let mut bob = app.connect().path("/rooms/attic").await?;
    /// bob.send(Hello).await;
    /// assert_eq!(bob.expect::<Welcome>().await.room, "attic");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn axum(router: Router, path: impl Into<String>) -> Self {
        Self {
            router,
            path: path.into(),
            probe: Probe::default(),
            patience: PATIENCE,
            next_port: AtomicU16::new(49152),
        }
    }

    /// Sets the application's hub. Needed only with [`axum`](Self::axum), to use [`hub`](Self::hub) or to
    /// capture publishes before the first connection, which finds the hub by itself.
    #[must_use]
    pub fn with_hub(self, hub: &Hub) -> Self {
        self.probe.found(hub);
        self
    }

    /// Sets how long expectations wait, in tokio's time. Default: 5 seconds. Applies to connections
    /// opened afterwards.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Creates a WebSocket connection, which is opened when it is awaited.
    #[track_caller]
    pub fn connect(&self) -> Connect<'_> {
        Connect::new(self, Location::caller())
    }

    /// Creates plain HTTP requests to the same application. Responses are complete when they are ready.
    ///
    /// ```
    /// use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
    /// use serde_json::{Value, json};
    /// use switchboard::{Conn, Hub, PublishError, WsRouter, test::TestApp, ws_message, ws_route};
    ///
    /// #[ws_message("NEWS")]
    /// struct News {
    ///     text: String,
    /// }
    ///
    /// async fn count(State(hub): State<Hub>) -> Json<Value> {
    ///     Json(json!({ "readers": hub.topic("news").local_subscriber_count() }))
    /// }
    ///
    /// async fn announce(State(hub): State<Hub>, Json(text): Json<String>) -> Result<StatusCode, PublishError> {
    ///     hub.publish("news", News { text }).await?;
    ///     Ok(StatusCode::ACCEPTED)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let hub = Hub::new();
    /// let ws = WsRouter::new().hub(hub.clone()).on_open(async |conn: Conn| conn.subscribe("news").await.map(drop));
    /// let router = Router::new().route("/ws", ws_route(ws)).route("/news", get(count).post(announce)).with_state(hub);
    ///
    /// let app = TestApp::axum(router, "/ws");
    /// let mut ann = app.connect().await?;
    /// app.settle().await;
    /// assert_eq!(app.http().get("/news").await.json::<Value>()["readers"], 1);
    ///
    /// let response = app.http().post("/news").json(&"hi").await;
    /// assert_eq!(response.status(), StatusCode::ACCEPTED);
    /// assert_eq!(ann.expect::<News>().await.text, "hi");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn http(&self) -> HttpClient<'_> {
        HttpClient::new(self)
    }

    /// Returns the hub of the application.
    ///
    /// # Panics
    ///
    /// If it is not known, because there was no connection yet and it was not [set](Self::with_hub).
    #[track_caller]
    #[must_use]
    pub fn hub(&self) -> Hub {
        let at = Location::caller();
        let hub = self.probe.hub();
        hub.unwrap_or_else(|| fail(at, "the hub is not known before the first connection: see `TestApp::with_hub`"))
    }

    /// Waits until the application is quiet, for effects that no client sees.
    ///
    /// With a paused clock, it waits until no task can make progress. Otherwise it waits for 10 ms, which
    /// proves nothing: prefer a message whose reply shows the effect.
    pub async fn settle(&self) {
        tokio::time::sleep(QUIET).await;
    }

    /// Returns another address for each connection.
    pub(super) fn next_peer(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.next_port.fetch_add(1, Relaxed)).into()
    }
}

impl fmt::Debug for TestApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestApp").field("path", &self.path).field("patience", &self.patience).finish_non_exhaustive()
    }
}
