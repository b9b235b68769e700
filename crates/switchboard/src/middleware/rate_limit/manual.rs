//! What handlers do with a limit themselves.

use std::sync::Arc;

use switchboard_core::{MessageSet, WsError};

use super::{By, RateLimitLayer, keyed::Key, state::State};
use crate::Conn;

impl<D: Send + Sync + 'static> RateLimitLayer<D> {
    /// Counts `cost` messages of a connection, from where no layer sees them: the parts of a batch, or a
    /// message that turned out to be a large one. What is too much is not counted.
    ///
    /// A clone of the layer counts together with it, so that a handler finds it in the application's
    /// state. With [`by_type`](Self::by_type) this is one more type. A limit by a
    /// [key of your own](Self::keyed) counts the connection by itself here.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use axum::extract::State;
    /// use switchboard::{Conn, RateLimitLayer, WsError, WsRouter, ws_message};
    ///
    /// #[ws_message("CHAT_BATCH")]
    /// struct Batch {
    ///     texts: Vec<String>,
    /// }
    ///
    /// #[ws_message("CAPTCHA")]
    /// struct Captcha {
    ///     solution: String,
    /// }
    ///
    /// #[derive(Clone)]
    /// struct App {
    ///     limit: RateLimitLayer<()>,
    /// }
    ///
    /// async fn batch(State(app): State<App>, conn: Conn, batch: Batch) -> Result<(), WsError> {
    ///     app.limit.check(&conn, u32::try_from(batch.texts.len()).unwrap_or(u32::MAX))
    /// }
    ///
    /// async fn captcha(State(app): State<App>, conn: Conn, captcha: Captcha) {
    ///     if captcha.solution == "42" {
    ///         app.limit.reset(&conn);
    ///     }
    /// }
    ///
    /// let limit = RateLimitLayer::per_connection(10, Duration::from_secs(60));
    /// let ws = WsRouter::new().on(batch).on(captcha);
    /// let app = axum::Router::new().route("/ws", switchboard::ws_route(ws)).with_state(App { limit });
    /// # let _: axum::Router = app;
    /// ```
    ///
    /// # Errors
    ///
    /// As the layer has it: what [`on_limited`](Self::on_limited) makes, `RESOURCE_EXHAUSTED` with
    /// `retryAfterMs` by default; `FAILED_PRECONDITION` if `cost` is more than the maximum.
    pub fn check<Out: MessageSet>(&self, conn: &Conn<D, Out>, cost: u32) -> Result<(), WsError> {
        self.settings.check(&self.state, cost, || self.settings.counted(conn.inner(), None))
    }

    /// Forgets what came so far of the connection, or of its user or address if that is what the limit
    /// counts: in all types, if each [counts by itself](Self::by_type).
    ///
    /// Not needed when a connection ends: what it has sent is forgotten with it. Users and addresses are
    /// remembered for a window's time.
    pub fn reset<Out: MessageSet>(&self, conn: &Conn<D, Out>) {
        if let Ok(counted) = self.settings.counted(conn.inner(), None) {
            self.each_state(|state| state.reset(self.settings.policy, &counted));
        }
    }

    /// Forgets what came so far under a [key](Self::keyed), or of a [user](Self::per_user), who need not
    /// be connected. Nothing else has keys.
    pub fn reset_key(&self, key: &str) {
        let key = match &self.settings.by {
            By::User => Key::User(key.into()),
            By::Custom(_) => Key::Custom(key.into()),
            By::Connection | By::ConnectionInFixedWindows | By::Ip => return,
        };
        let counted = super::state::Counted::Key(key);
        self.each_state(|state| state.reset(self.settings.policy, &counted));
    }

    fn each_state(&self, run: impl Fn(&State)) {
        run(&self.state);
        // Not under the lock: routes are added while an application is built.
        let of_types: Vec<Arc<State>> = self.of_types.lock().clone();
        of_types.iter().for_each(|state| run(state));
    }
}
