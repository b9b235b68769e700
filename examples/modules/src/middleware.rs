//! Middleware: async functions that pass the message on or refuse it.

use std::time::Instant;

use switchboard::{WsError, WsReply, WsRequest, middleware::Next};

use crate::session::Session;

/// Refuses messages of unauthenticated clients.
pub(crate) async fn require_auth(mut request: WsRequest<Session>, next: Next<Session>) -> Result<WsReply, WsError> {
    if !request.data().is_signed_in() {
        return Err(WsError::unauthenticated("Authentication required"));
    }
    pass(&mut request, "auth");
    next.run(request).await
}

/// Logs a line before, and one after with duration and outcome. The library's `TraceLayer` does the
/// same.
pub(crate) async fn log(mut request: WsRequest<Session>, next: Next<Session>) -> Result<WsReply, WsError> {
    let (client_id, message_type) = (request.conn().id(), request.message_type());
    tracing::info!(%client_id, message_type, "received");
    pass(&mut request, "log");
    let since = Instant::now();
    let reply = next.run(request).await;
    let outcome = reply.as_ref().map_or_else(|error| error.code().as_str(), |_| "OK");
    tracing::info!(%client_id, message_type, outcome, duration = ?since.elapsed(), "processed");
    reply
}

/// Does something slow, such as asking a service about the account.
pub(crate) async fn check_account(mut request: WsRequest<Session>, next: Next<Session>) -> Result<WsReply, WsError> {
    tokio::task::yield_now().await;
    pass(&mut request, "account");
    next.run(request).await
}

/// The middleware that a message has passed, in order: handlers get it by `Extension`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Passed(pub(crate) Vec<&'static str>);

fn pass(request: &mut WsRequest<Session>, name: &'static str) {
    request.extensions_mut().get_or_insert_default::<Passed>().0.push(name);
}
