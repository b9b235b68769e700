//! Requests: each gets exactly one reply or one error, under its `correlationId`.
//!
//! Rows 001-14 and 002-33 of the checklist, and other features of requests:
//!
//! | request | shows | file |
//! |---|---|---|
//! | `CALCULATE` | a typed request and its reply | `lib.rs` |
//! | `FETCH_PROFILE` | errors with a code: `NOT_FOUND`, `INTERNAL` | `profiles.rs` |
//! | `EXPORT_PROFILES` | progress | `profiles.rs` |
//! | `DELETE_PROFILE` | the server asks the client | `profiles.rs` |
//! | `SEARCH` | a reply in time, for any `meta.timeoutMs` of the client | `work.rs` |
//! | `WAIT` | a concurrent route; deadlines and aborts | `work.rs` |
//! | `COUNT_PRIMES` | an abort that ends work on another thread; `WORK` has the counts | `work.rs` |
//! | `DEPOSIT` | work that is never left half done, and safe to repeat; `GET_BALANCE` shows it | `accounts.rs` |
//!
//! `tests.rs` tests all of them in memory, with `switchboard::test`.
//!
//! To try it, `cargo run -p rpc`, and open <http://127.0.0.1:3000>: a page with a form for each request. Its client in
//! `static/client` is generated from `messages.rs`; after a change of a message, `UPDATE_CLIENTS=1 cargo test -p rpc`
//! writes it again. Or without the page, with `npx wscat -c ws://127.0.0.1:3000/ws`:
//!
//! ```text
//! {"type":"CALCULATE","meta":{"correlationId":"1"},"payload":{"operation":"add","a":2,"b":3}}
//! {"type":"FETCH_PROFILE","meta":{"correlationId":"2"},"payload":{"userId":"ann"}}
//! {"type":"EXPORT_PROFILES","meta":{"correlationId":"3"}}
//! {"type":"SEARCH","meta":{"correlationId":"4","timeoutMs":400},"payload":{"text":"a"}}
//! {"type":"WAIT","meta":{"correlationId":"5"},"payload":{"ms":60000}}
//! {"type":"$ws:abort","meta":{"correlationId":"5"}}
//! {"type":"DEPOSIT","meta":{"correlationId":"6","idempotencyKey":"k1"},"payload":{"accountId":"a","amount":10}}
//! ```

mod accounts;
mod http;
mod messages;
mod profiles;
#[cfg(test)]
mod tests;
mod work;

use axum::{Router, extract::FromRef};
use switchboard::{Contract, RouteOptions, WsError, WsRouter, ws_route};

use self::{
    accounts::Accounts,
    messages::{Calculate, CalculateResult, Confirm, Operation},
    profiles::Profiles,
    work::Work,
};

/// How many `WAIT`s of one client run at the same time.
const WAITS: usize = 4;

/// The state of the handlers; each extracts its part.
#[derive(Clone, Default)]
struct App {
    profiles: Profiles,
    accounts: Accounts,
    work: Work,
}

impl FromRef<App> for Profiles {
    fn from_ref(app: &App) -> Self {
        app.profiles.clone()
    }
}

impl FromRef<App> for Accounts {
    fn from_ref(app: &App) -> Self {
        app.accounts.clone()
    }
}

impl FromRef<App> for Work {
    fn from_ref(app: &App) -> Self {
        app.work.clone()
    }
}

/// Returns the whole application: the page at `/` and a WebSocket at `/ws`, with profiles and accounts of its own.
pub fn app() -> Router {
    http::router().route("/ws", ws_route(router())).with_state(App::default())
}

/// Returns the contract of the WebSocket, from which the client is generated.
pub fn contract() -> Contract {
    router().contract("/ws")
}

fn router() -> WsRouter<App> {
    WsRouter::new()
        .on(calculate)
        .on(profiles::fetch_profile)
        .on(profiles::export_profiles)
        .on(profiles::delete_profile)
        .on(work::search)
        .on_with(work::wait, RouteOptions::new().concurrent(WAITS))
        .on(work::count_primes)
        .on(work::state)
        .on_with(accounts::deposit, RouteOptions::new().run_to_completion())
        .on(accounts::balance)
        // Sent by a handler, which its signature does not say.
        .emits::<Confirm>()
}

async fn calculate(request: Calculate) -> Result<CalculateResult, WsError> {
    let Calculate { operation, a, b } = request;
    let result = match operation {
        Operation::Add => a + b,
        Operation::Multiply => a * b,
    };
    // JSON has no infinity.
    if result.is_finite() {
        Ok(CalculateResult { result })
    } else {
        Err(WsError::invalid_argument("The result is too large"))
    }
}
