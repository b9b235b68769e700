//! Counting and resetting in handlers.

use std::sync::Arc;

use switchboard_core::{MessageSet, WsError};

use super::{By, RateLimitLayer, keyed::Key, state::State};
use crate::Conn;

impl<D: Send + Sync + 'static> RateLimitLayer<D> {
    /// Counts `cost` messages of a connection, for handlers: the items of a batch, for example. Messages
    /// beyond the limit are not counted.
    ///
    /// Clones of a layer share its counts, so a clone can be kept in the application's state. With
    /// [`by_type`](Self::by_type), this counts as one more type. With a
    /// [custom key](Self::keyed), the connection is counted instead.
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
    /// The error of [`on_limited`](Self::on_limited) beyond the limit, by default `RESOURCE_EXHAUSTED` with
    /// `retryAfterMs`; `FAILED_PRECONDITION` if `cost` is more than the maximum.
    pub fn check<Out: MessageSet>(&self, conn: &Conn<D, Out>, cost: u32) -> Result<(), WsError> {
        self.settings.check(&self.state, cost, || self.settings.counted(conn.inner(), None))
    }

    /// Clears the counts of the connection, or of its user or address if the limit is by these, for all
    /// [types](Self::by_type).
    ///
    /// Counts of a connection are dropped when it ends; those of users and addresses are kept for the length
    /// of a window.
    pub fn reset<Out: MessageSet>(&self, conn: &Conn<D, Out>) {
        if let Ok(counted) = self.settings.counted(conn.inner(), None) {
            self.each_state(|state| state.reset(self.settings.policy, &counted));
        }
    }

    /// Clears the counts of a [key](Self::keyed), or of a [user](Self::per_user), who need not be connected.
    /// Has no effect on other limits.
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
        // Copied, so that `run` is not called under the lock.
        let of_types: Vec<Arc<State>> = self.of_types.lock().clone();
        of_types.iter().for_each(|state| run(state));
    }
}
