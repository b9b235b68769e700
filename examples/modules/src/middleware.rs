//! What happens around handlers: async functions that go on with the message, or do not.

use std::time::Instant;

use switchboard::{WsError, WsReply, WsRequest, middleware::Next};

use crate::session::Session;

/// Who is not signed in gets no further.
pub(crate) async fn require_auth(mut request: WsRequest<Session>, next: Next<Session>) -> Result<WsReply, WsError> {
    if !request.data().is_signed_in() {
        return Err(WsError::unauthenticated("Authentication required"));
    }
    pass(&mut request, "auth");
    next.run(request).await
}

/// A line before, and one after with how long it took and how it ended. The library's `TraceLayer`
/// does the like.
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

/// Something that takes a moment: asking a service whether the account is in order, for example.
pub(crate) async fn check_account(mut request: WsRequest<Session>, next: Next<Session>) -> Result<WsReply, WsError> {
    tokio::task::yield_now().await;
    pass(&mut request, "account");
    next.run(request).await
}

/// What a message has passed on its way, in order: for the handler, by `Extension`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Passed(pub(crate) Vec<&'static str>);

fn pass(request: &mut WsRequest<Session>, name: &'static str) {
    request.extensions_mut().get_or_insert_default::<Passed>().0.push(name);
}
