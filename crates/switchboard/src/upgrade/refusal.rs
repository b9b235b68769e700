//! The HTTP responses of refused upgrades.

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};

use crate::Hub;

pub(super) fn text(status: StatusCode, body: impl Into<String>) -> Response {
    let nosniff = (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    (status, [nosniff], body.into() + "\n").into_response()
}

pub(super) fn unavailable(body: &'static str) -> Response {
    let mut response = text(StatusCode::SERVICE_UNAVAILABLE, body);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

pub(super) fn internal(problem: &str, hub: &Hub) -> Response {
    // Limited, since clients can repeat the cause at will.
    if let Some(suppressed) = hub.may_log() {
        tracing::error!(suppressed, "{problem}");
    }
    internal_error()
}

/// The response of [`internal`], where the problem has been logged already.
pub(super) fn internal_error() -> Response {
    text(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
}
