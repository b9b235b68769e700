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

use super::{Connect, PATIENCE, QUIET, failure::fail};
use crate::{Hub, Produces, WsRouter, upgrade::Probe, ws_route};

/// An application under test: connections to it are opened in memory.
///
/// It needs a tokio runtime. With a clock that stands still, as in
/// `#[tokio::test(start_paused = true)]`, deadlines, heartbeats and timeouts pass at once when
/// nothing else can happen.
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
    /// Tests a router without state.
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

    /// Tests a router with the state that it would get from axum's.
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

    /// Tests a whole application: `path` is where [`connect`](Self::connect) connects to.
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

    /// Names the application's hub, for what happens before the first connection. Only needed for
    /// [`axum`](Self::axum): the hub becomes known with the first connection otherwise.
    #[must_use]
    pub fn with_hub(self, hub: &Hub) -> Self {
        self.probe.found(hub);
        self
    }

    /// How long things are waited for, in tokio's time: 5 seconds unless set. For connections
    /// opened after this.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Opens a connection when it is awaited.
    #[track_caller]
    pub fn connect(&self) -> Connect<'_> {
        Connect::new(self, Location::caller())
    }

    /// The hub of the application.
    ///
    /// # Panics
    ///
    /// If it is not known: neither was there a connection, nor was it [named](Self::with_hub).
    #[track_caller]
    #[must_use]
    pub fn hub(&self) -> Hub {
        let at = Location::caller();
        let hub = self.probe.hub();
        hub.unwrap_or_else(|| fail(at, "the hub is not known before the first connection: see `TestApp::with_hub`"))
    }

    /// Waits until all is quiet: until no task can go on, if the clock stands still, and else for
    /// 10 ms. For effects that no client sees.
    ///
    /// With a clock that runs, rather ask something whose answer shows the effect.
    pub async fn settle(&self) {
        tokio::time::sleep(QUIET).await;
    }

    /// Another one for each connection.
    pub(super) fn next_peer(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.next_port.fetch_add(1, Relaxed)).into()
    }
}

impl fmt::Debug for TestApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestApp").field("path", &self.path).field("patience", &self.patience).finish_non_exhaustive()
    }
}
