//! JSON Web Tokens, in the first message or at the upgrade, and rights that depend on the user.
//!
//! | path | who may connect | rows of the checklist |
//! |---|---|---|
//! | `/ws` | every client, which then has five seconds for `AUTH` or `LOGIN` | 000-9 to 000-13, 001-15 |
//! | `/secure` | clients with a token: header, cookie `auth_token`, `?token=`, subprotocol | 001-9, 002-10, 004-2, 004-5 |
//! | `/optional` | every client; without a valid token as "Anonymous" | 001-9 to 001-12 |
//! | `/custom` | clients with a token in the header `x-auth-token` | 004-5 |
//! | `/public` | every client, without authentication | 004-6 |
//! | `POST /token` | returns a token for a name and a password | |
//! | `GET /errors` | the errors that `on_error` has recorded | 000-13 |
//!
//! On `/ws`, `WATCH_ROOM` and `MOD_ACTION` show messages that reach only some subscribers of a
//! topic (002-32).
//!
//! ```text
//! PORT=3000 cargo run -p auth-jwt
//! curl -d '{"username":"ann","password":"ann-secret"}' -H 'content-type: application/json' localhost:3000/token
//! ```
//!
//! and then, with any WebSocket client, `ws://localhost:3000/ws`:
//!
//! ```text
//! {"type":"AUTH","payload":{"token":"…"}}
//! {"type":"WHO_AM_I","meta":{"correlationId":"1"}}
//! {"type":"ADMIN_ACTION","payload":{"action":"kick","targetUserId":"u-bob","reason":"enough"}}
//! ```
//!
//! | file | content |
//! |---|---|
//! | `tokens.rs` | creating and verifying tokens |
//! | `users.rs` | users and roles |
//! | `people.rs` | connected and banned users |
//! | `in_band.rs` | `/ws` |
//! | `at_upgrade.rs` | `/secure`, `/optional`, `/custom`, `/public` |
//! | `guards.rs` | extractors that admit only some users |
//! | `moderation.rs` | kick, ban, mute |
//! | `http.rs` | the other routes |

mod at_upgrade;
mod guards;
mod http;
mod in_band;
mod messages;
mod moderation;
mod people;
mod tokens;
mod users;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    routing::{get, post},
};
use switchboard::{Hub, ws_route};

use self::{http::Errors, people::People, tokens::Tokens};

/// The state that the handlers of all routes share.
#[derive(Debug)]
struct App {
    tokens: Tokens,
    people: People,
    errors: Errors,
}

type Shared = Arc<App>;

/// Returns the application with a random secret, so its tokens are valid until it stops.
pub fn app() -> Router {
    Options::new().router()
}

/// The settings of the application.
#[derive(Clone)]
#[must_use]
pub struct Options {
    secret: Vec<u8>,
    identify_timeout: Duration,
}

impl Options {
    /// Creates options with a random secret, and five seconds to authenticate.
    pub fn new() -> Self {
        let mut secret = vec![0; 32];
        getrandom::fill(&mut secret).expect("the system has a source of randomness");
        Self { secret, identify_timeout: Duration::from_secs(5) }
    }

    /// Sets the key of the tokens' signatures: at least 32 random bytes.
    pub fn secret(mut self, secret: impl Into<Vec<u8>>) -> Self {
        self.secret = secret.into();
        self
    }

    /// Sets how long a connection to `/ws` may stay unauthenticated.
    pub fn identify_timeout(mut self, timeout: Duration) -> Self {
        self.identify_timeout = timeout;
        self
    }

    /// Returns the application.
    #[must_use = "it does nothing until it is served"]
    pub fn router(self) -> Router {
        let app = App { tokens: Tokens::new(&self.secret), people: People::default(), errors: Errors::default() };
        // One for all routes: an administrator on one of them reaches users on the others.
        let hub = Hub::builder().topic("room:*", moderation::rooms()).build();
        Router::new()
            .route("/ws", ws_route(in_band::ws(self.identify_timeout).hub(hub.clone())))
            .route("/secure", ws_route(at_upgrade::secure().hub(hub.clone())))
            .route("/optional", ws_route(at_upgrade::optional().hub(hub.clone())))
            .route("/custom", ws_route(at_upgrade::custom().hub(hub.clone())))
            .route("/public", ws_route(at_upgrade::public().hub(hub)))
            .route("/token", post(http::token))
            .route("/errors", get(http::errors))
            .with_state(Arc::new(app))
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

/// Omits the secret.
impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("identify_timeout", &self.identify_timeout).finish_non_exhaustive()
    }
}

/// Locks a mutex. No panic can leave its content half changed, so poisoning does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
