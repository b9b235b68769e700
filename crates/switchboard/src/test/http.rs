//! Plain HTTP requests.

use std::{
    fmt::{self, Write as _},
    future::IntoFuture,
    net::SocketAddr,
    panic::Location,
};

use axum::{body::Body, extract::Request};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    TestApp,
    failure::{fail, shown},
    server,
};

/// Sends plain HTTP requests to an application under test: [`TestApp::http`].
#[derive(Debug, Clone, Copy)]
pub struct HttpClient<'a> {
    app: &'a TestApp,
}

impl<'a> HttpClient<'a> {
    pub(super) fn new(app: &'a TestApp) -> Self {
        Self { app }
    }

    /// Creates a `GET` request.
    #[track_caller]
    pub fn get(&self, path: impl Into<String>) -> HttpRequest<'a> {
        self.request(Method::GET, path)
    }

    /// Creates a `POST` request.
    #[track_caller]
    pub fn post(&self, path: impl Into<String>) -> HttpRequest<'a> {
        self.request(Method::POST, path)
    }

    /// Creates a `PUT` request.
    #[track_caller]
    pub fn put(&self, path: impl Into<String>) -> HttpRequest<'a> {
        self.request(Method::PUT, path)
    }

    /// Creates a `PATCH` request.
    #[track_caller]
    pub fn patch(&self, path: impl Into<String>) -> HttpRequest<'a> {
        self.request(Method::PATCH, path)
    }

    /// Creates a `DELETE` request.
    #[track_caller]
    pub fn delete(&self, path: impl Into<String>) -> HttpRequest<'a> {
        self.request(Method::DELETE, path)
    }

    /// Creates a request with another method. The path may have a query.
    #[track_caller]
    pub fn request(&self, method: Method, path: impl Into<String>) -> HttpRequest<'a> {
        let at = Location::caller();
        let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("localhost"))]);
        HttpRequest { app: self.app, at, method, target: path.into(), headers, body: Bytes::new(), peer: None }
    }
}

/// A plain HTTP request, sent when it is awaited. Redirects are not followed.
///
/// # Panics
///
/// If there is no complete response within the [`patience`](TestApp::patience), or the path is invalid.
///
/// # Cancel safety
///
/// If the future is dropped before it is ready, the connection is closed.
#[must_use = "no request is sent before this is awaited"]
pub struct HttpRequest<'a> {
    app: &'a TestApp,
    at: &'static Location<'static>,
    method: Method,
    target: String,
    headers: HeaderMap,
    body: Bytes,
    peer: Option<SocketAddr>,
}

impl HttpRequest<'_> {
    /// Adds a parameter to the query, percent-encoded.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.target.push(if self.target.contains('?') { '&' } else { '?' });
        encode_parameter(&mut self.target, name, value);
        self
    }

    /// Adds a header; `Host` and `Content-Type` replace the one that the request has.
    ///
    /// # Panics
    ///
    /// If the name or the value is not valid in HTTP.
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let (name, value) = parse_header(Location::caller(), name, value);
        if name == header::HOST || name == header::CONTENT_TYPE {
            self.headers.insert(name, value);
        } else {
            self.headers.append(name, value);
        }
        self
    }

    /// Adds `Authorization: Bearer …`.
    ///
    /// # Panics
    ///
    /// As [`header`](Self::header).
    #[track_caller]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Adds a cookie.
    ///
    /// # Panics
    ///
    /// As [`header`](Self::header).
    #[track_caller]
    pub fn cookie(self, name: &str, value: &str) -> Self {
        self.header("cookie", &format!("{name}={value}"))
    }

    /// Sets the client's address. Default: 127.0.0.1, with another port for each request.
    pub fn peer(mut self, peer: SocketAddr) -> Self {
        self.peer = Some(peer);
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets a JSON body, and the `Content-Type`.
    ///
    /// # Panics
    ///
    /// If the value does not serialise.
    #[track_caller]
    pub fn json(self, body: &impl Serialize) -> Self {
        let at = Location::caller();
        let json = serde_json::to_vec(body);
        let json = json.unwrap_or_else(|error| fail(at, format_args!("the body does not serialise: {error}")));
        self.header("content-type", "application/json").body(json)
    }

    async fn send(self) -> HttpResponse {
        let Self { app, at, method, target, headers, body, peer } = self;
        let name = format!("{method} {target}");
        if !target.starts_with('/') {
            fail(at, format_args!("{name}: the path must begin with `/`"));
        }
        let mut request = match Request::builder().method(method).uri(target).body(Body::from(body)) {
            Ok(request) => request,
            Err(error) => fail(at, format_args!("{name}: {error}")),
        };
        *request.headers_mut() = headers;
        let peer = peer.unwrap_or_else(|| app.next_peer());
        let exchange = server::exchange(app.router.clone(), app.probe.clone(), peer, request, (at, &name));
        match tokio::time::timeout(app.patience, exchange).await {
            Ok((status, headers, body)) => HttpResponse::new(name, status, headers, body),
            Err(_) => fail(at, format_args!("{name} got no complete response within {:?}", app.patience)),
        }
    }
}

impl<'a> IntoFuture for HttpRequest<'a> {
    type Output = HttpResponse;
    type IntoFuture = BoxFuture<'a, HttpResponse>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for HttpRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers may hold credentials.
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

/// The response to a plain HTTP request ([`TestApp::http`]) or to a refused upgrade
/// ([`Refusal`](super::Refusal)).
#[derive(Debug, Clone)]
pub struct HttpResponse {
    /// The method and path of the request, for failures.
    name: String,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl HttpResponse {
    pub(super) fn new(name: String, status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self { name, status, headers, body }
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the body as text. Invalid UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Decodes the body from JSON.
    ///
    /// # Panics
    ///
    /// If the body is not the JSON of a `T`. The panic has the status and the beginning of the body.
    #[track_caller]
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        let at = Location::caller();
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            let (expected, text) = (std::any::type_name::<T>(), self.text());
            let (name, status) = (&self.name, self.status);
            fail(at, format_args!("{name}: expected {expected}, {error}; got {status}: {}", shown(&text)))
        })
    }
}

/// Parses a header, or fails the test.
pub(super) fn parse_header(at: &Location<'_>, name: &str, value: &str) -> (HeaderName, HeaderValue) {
    let Ok(name) = name.parse::<HeaderName>() else { fail(at, format_args!("{name:?} is not a header name")) };
    let Ok(value) = HeaderValue::from_str(value) else {
        fail(at, format_args!("{value:?} is not a valid value of the header {name}"))
    };
    (name, value)
}

/// Adds a parameter of a query.
pub(super) fn encode_parameter(out: &mut String, name: &str, value: &str) {
    percent_encode(out, name);
    out.push('=');
    percent_encode(out, value);
}

/// Encodes all characters that are not unreserved in URIs.
fn percent_encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
