//! Checks and answers the WebSocket handshake.

use axum::response::Response;
use http::request::Parts;
use switchboard_frame::handshake::{Refusal, Request};

use super::refusal;

/// Checks a handshake. Refuses with 426 a request that is not an upgrade or asks for another
/// version of WebSocket, and with 400 a malformed one.
pub(crate) fn check(parts: &Parts) -> Result<Request, Box<Response>> {
    Request::check(&parts.method, parts.version, &parts.headers, protocol(parts)).map_err(refuse)
}

/// Returns the `:protocol` pseudo-header of an extended CONNECT.
#[cfg(feature = "http2")]
fn protocol(parts: &Parts) -> Option<&str> {
    parts.extensions.get::<hyper::ext::Protocol>().map(hyper::ext::Protocol::as_str)
}

#[cfg(not(feature = "http2"))]
fn protocol(_: &Parts) -> Option<&str> {
    None
}

fn refuse(refusal: Refusal) -> Box<Response> {
    let mut response = refusal::text(refusal.status(), refusal.as_str());
    response.headers_mut().extend(refusal.headers());
    Box::new(response)
}

pub(super) fn accept(request: &Request) -> Response {
    let mut response = Response::default();
    *response.status_mut() = request.status();
    response.headers_mut().extend(request.headers());
    response
}
