//! Counting and resetting in handlers.

use std::sync::Arc;

use switchboard_core::{MessageSet, WsError};

use super::{
    By, Check, RateLimitLayer,
    keyed::Key,
    state::{Counted, State},
};
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
    ///     app.limit.check(&conn, u32::try_from(batch.texts.len()).unwrap_or(u32::MAX)).await
    /// }
    ///
    /// async fn captcha(State(app): State<App>, conn: Conn, captcha: Captcha) -> Result<(), WsError> {
    ///     if captcha.solution == "42" {
    ///         app.limit.reset(&conn).await?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// let limit = RateLimitLayer::per_connection(10, Duration::from_secs(60));
    /// let ws = WsRouter::new().on(batch).on(captcha);
    /// let app = axum::Router::new().route("/ws", switchboard::ws_route(ws)).with_state(App { limit });
    /// # let _: axum::Router = app;
    /// ```
    ///
    /// Waits only if there is a [store](Self::store).
    ///
    /// # Errors
    ///
    /// The error of [`on_limited`](Self::on_limited) beyond the limit, by default `RESOURCE_EXHAUSTED` with
    /// `retryAfterMs`; `FAILED_PRECONDITION` if `cost` is more than the maximum.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped while a store is being asked, the messages may be counted.
    pub async fn check<Out: MessageSet>(&self, conn: &Conn<D, Out>, cost: u32) -> Result<(), WsError> {
        match self.settings.check(&self.state, cost, "", || self.settings.counted(conn.inner(), None)) {
            Check::Done(result) => result,
            Check::Waiting(check) => check.await,
        }
    }

    /// Clears the counts of the connection, or of its user or address if the limit is by these, for all
    /// [types](Self::by_type).
    ///
    /// Counts of a connection are dropped when it ends; those of users and addresses are kept for the length
    /// of a window.
    ///
    /// # Errors
    ///
    /// `UNAVAILABLE` if there is a [store](Self::store) and it does not answer. The counts of this node are cleared all the
    /// same.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped while a store is being asked, its counts may be cleared.
    pub async fn reset<Out: MessageSet>(&self, conn: &Conn<D, Out>) -> Result<(), WsError> {
        match self.settings.counted(conn.inner(), None) {
            Ok(counted) => self.reset_counted(counted).await,
            // Without an address, nothing is counted.
            Err(_) => Ok(()),
        }
    }

    /// Clears the counts of a [key](Self::keyed), or of a [user](Self::per_user), who need not be connected.
    /// Has no effect on other limits.
    ///
    /// # Errors
    ///
    /// As [`reset`](Self::reset).
    ///
    /// # Cancel safety
    ///
    /// As [`reset`](Self::reset).
    pub async fn reset_key(&self, key: &str) -> Result<(), WsError> {
        let key = match &self.settings.by {
            By::User => Key::User(key.into()),
            By::Custom(_) => Key::Custom(key.into()),
            By::Connection | By::ConnectionInFixedWindows | By::Ip => return Ok(()),
        };
        self.reset_counted(Counted::Key(key)).await
    }

    async fn reset_counted(&self, counted: Counted<'_>) -> Result<(), WsError> {
        self.each_state(|state| state.reset(self.settings.policy, &counted));
        let reset = match (&counted, &self.settings.store) {
            (Counted::Key(key), Some(store)) => store.reset(key),
            _ => None,
        };
        match reset {
            Some(reset) => reset.await,
            None => Ok(()),
        }
    }

    fn each_state(&self, run: impl Fn(&State)) {
        run(&self.state);
        // Copied, so that `run` is not called under the lock.
        let of_types: Vec<Arc<State>> = self.of_types.lock().clone();
        of_types.iter().for_each(|state| run(state));
    }
}
