//! The error as an HTTP response, for handlers of axum's that use a hub.

use axum_core::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use super::{ErrorCode, RetryAfter, WsError};

/// The status that gRPC's HTTP mapping gives the code (422 for codes of your own), the error payload of
/// the wire as the JSON body, and `Retry-After` where there is something to wait for.
///
/// | code | status |
/// |---|---|
/// | `INVALID_ARGUMENT`, `FAILED_PRECONDITION` | 400 |
/// | `UNAUTHENTICATED` | 401 |
/// | `PERMISSION_DENIED` | 403 |
/// | `NOT_FOUND` | 404 |
/// | `ALREADY_EXISTS`, `ABORTED` | 409 |
/// | codes of your own | 422 |
/// | `RESOURCE_EXHAUSTED` | 429 |
/// | `CANCELLED` | 499 |
/// | `INTERNAL` | 500 |
/// | `UNIMPLEMENTED` | 501 |
/// | `UNAVAILABLE` | 503 |
/// | `DEADLINE_EXCEEDED` | 504 |
impl IntoResponse for WsError {
    fn into_response(self) -> Response {
        let body = serde_json::to_string(&self).unwrap_or_default();
        let mut response = (status(self.code()), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(RetryAfter::After(time)) = self.retry_after() {
            headers
                .insert(header::RETRY_AFTER, u64::try_from(time.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).into());
        }
        response
    }
}

fn status(code: &ErrorCode) -> StatusCode {
    let status = match code {
        ErrorCode::InvalidArgument | ErrorCode::FailedPrecondition => 400,
        ErrorCode::Unauthenticated => 401,
        ErrorCode::PermissionDenied => 403,
        ErrorCode::NotFound => 404,
        ErrorCode::AlreadyExists | ErrorCode::Aborted => 409,
        ErrorCode::Custom(_) => 422,
        ErrorCode::ResourceExhausted => 429,
        ErrorCode::Cancelled => 499,
        ErrorCode::Internal => 500,
        ErrorCode::Unimplemented => 501,
        ErrorCode::Unavailable => 503,
        ErrorCode::DeadlineExceeded => 504,
    };
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn statuses_and_headers() {
        for code in ErrorCode::ALL {
            let retryable = code.retryable() == Some(true);
            let response = WsError::new(code.clone(), "text").into_response();
            assert!(response.status().is_client_error() || response.status().is_server_error(), "{code}");
            assert_eq!(response.headers().contains_key(header::RETRY_AFTER), retryable, "{code}");
        }
        let response =
            WsError::resource_exhausted("full").with_retry_after(Duration::from_millis(1001)).into_response();
        assert_eq!(
            (response.status().as_u16(), &response.headers()[header::RETRY_AFTER]),
            (429, &HeaderValue::from(2))
        );
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        let response = WsError::resource_exhausted("too large").never_retry().into_response();
        assert!(!response.headers().contains_key(header::RETRY_AFTER));
        assert_eq!(WsError::new("SOLD_OUT", "none left").into_response().status().as_u16(), 422);
    }
}
