//! The handshake (RFC 6455, section 4; over HTTP/2 RFC 8441), over the types of the `http` crate.
//!
//! A server passes a request to [`Request::check`] and answers as [`Request`] or [`Refusal`] says.
//! The Origin is not checked here. Extensions are never accepted, so offers are ignored.
//!
//! ```
//! use http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};
//! use switchboard_frame::handshake::{self, Refusal, Request};
//!
//! let mut headers = HeaderMap::new();
//! let refusal = Request::check(&Method::GET, Version::HTTP_11, &headers, None).unwrap_err();
//! assert_eq!(refusal.status(), StatusCode::UPGRADE_REQUIRED);
//!
//! headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
//! headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
//! headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
//! headers.insert(header::SEC_WEBSOCKET_KEY, HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ=="));
//! headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("soap, chat"));
//! let request = Request::check(&Method::GET, Version::HTTP_11, &headers, None)?;
//! let mut response = http::Response::builder().status(request.status()).body(()).unwrap();
//! response.headers_mut().extend(request.headers());
//! if let Some(protocol) = handshake::choose_subprotocol(&headers, &["chat", "superchat"]) {
//!     response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
//! }
//! assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
//! assert_eq!(response.headers()["sec-websocket-protocol"], "chat");
//! # Ok::<(), Refusal>(())
//! ```
//!
//! A client creates a key with [`client_key`] and checks the response with [`check_response`].

mod client;
mod key;
mod list;
mod refusal;
mod request;
mod subprotocol;

pub use self::{
    client::{ResponseError, check_response},
    key::{accept_key, client_key},
    refusal::Refusal,
    request::Request,
    subprotocol::{MAX_SUBPROTOCOL_BYTES, MAX_SUBPROTOCOLS, choose_subprotocol, offered_subprotocols},
};
