//! Opening a connection.

use std::{
    fmt::{self, Write as _},
    future::IntoFuture,
    net::SocketAddr,
    panic::Location,
};

use axum::{body::Body, extract::Request};
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use switchboard_core::envelope::{EnvelopeStyle, Wire};
use tokio_tungstenite::{WebSocketStream, tungstenite::handshake, tungstenite::protocol::Role};

use super::{Refusal, TestApp, TestClient, failure::fail, server};

/// An upgrade that is asked for when this is awaited.
///
/// ```
/// use axum::http::StatusCode;
/// use switchboard::{BearerToken, WsRouter, test::TestApp};
///
/// struct User;
///
/// async fn verify(token: BearerToken) -> Result<User, (StatusCode, &'static str)> {
///     if token.matches("ann") { Ok(User) } else { Err((StatusCode::FORBIDDEN, "who?")) }
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let app = TestApp::new(WsRouter::new().authenticate(verify));
/// let ann = app.connect().bearer("ann").await?;
/// let refusal = app.connect().bearer("eve").await.unwrap_err();
/// assert_eq!((refusal.status(), refusal.text().as_str()), (StatusCode::FORBIDDEN, "who?"));
/// # drop(ann);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// What the server answers instead of 101.
///
/// # Panics
///
/// If there is no answer within the [`patience`](TestApp::patience), or none that HTTP allows.
///
/// # Cancel safety
///
/// Dropped before it is ready, the client is gone.
#[must_use = "no connection is opened before this is awaited"]
pub struct Connect<'a> {
    app: &'a TestApp,
    at: &'static Location<'static>,
    path: String,
    query: String,
    headers: HeaderMap,
    peer: Option<SocketAddr>,
    envelope: EnvelopeStyle,
}

impl<'a> Connect<'a> {
    pub(super) fn new(app: &'a TestApp, at: &'static Location<'static>) -> Self {
        Self {
            app,
            at,
            path: app.path.clone(),
            query: String::new(),
            headers: HeaderMap::new(),
            peer: None,
            envelope: EnvelopeStyle::Standard,
        }
    }

    /// Connects to another path than the app's, with or without a query.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Adds a parameter to the query. It is percent-encoded here.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        encode(&mut self.query, name);
        self.query.push('=');
        encode(&mut self.query, value);
        self
    }

    /// Adds a header, or replaces what the upgrade would have by itself, such as `Host`.
    ///
    /// # Panics
    ///
    /// If the name or the value cannot stand in HTTP.
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let at = Location::caller();
        let Ok(name) = name.parse::<HeaderName>() else { fail(at, format_args!("{name:?} is no header's name")) };
        let Ok(value) = HeaderValue::from_str(value) else {
            fail(at, format_args!("{value:?} cannot stand in the header {name}"))
        };
        self.headers.append(name, value);
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

    /// Offers a subprotocol, behind those offered before. `switchboard.v1.json` and
    /// `switchboard.v1.msgpack` are spoken if the server chooses them: what the protocol sends by
    /// itself is then seen by [`recv_json`](TestClient::recv_json) only.
    ///
    /// # Panics
    ///
    /// As [`header`](Self::header).
    #[track_caller]
    pub fn subprotocol(self, name: &str) -> Self {
        self.header("sec-websocket-protocol", name)
    }

    /// Says that a page of this origin connects. Without it the client is no browser.
    ///
    /// # Panics
    ///
    /// As [`header`](Self::header).
    #[track_caller]
    pub fn origin(self, origin: &str) -> Self {
        self.header("origin", origin)
    }

    /// Connects from this address. By default from 127.0.0.1, each connection from another port.
    pub fn peer(mut self, peer: SocketAddr) -> Self {
        self.peer = Some(peer);
        self
    }

    /// How this client writes and reads envelopes: as the router's
    /// [`envelope`](crate::WsRouter::envelope) says.
    pub fn envelope(mut self, style: EnvelopeStyle) -> Self {
        self.envelope = style;
        self
    }

    fn request(&self, key: &str) -> Request {
        let joint = match (self.query.is_empty(), self.path.contains('?')) {
            (true, _) => "",
            (false, false) => "?",
            (false, true) => "&",
        };
        let target = format!("{}{joint}{}", self.path, self.query);
        let mut request = match Request::get(&target).body(Body::empty()) {
            Ok(request) => request,
            Err(error) => fail(self.at, format_args!("{target:?} cannot be connected to: {error}")),
        };
        *request.headers_mut() = self.headers.clone();
        for (name, value) in server::upgrade_headers(key) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                request.headers_mut().entry(name).or_insert(value);
            }
        }
        request
    }

    async fn open(self) -> Result<TestClient, Refusal> {
        let key = handshake::client::generate_key();
        let request = self.request(&key);
        let Self { app, at, peer, envelope, .. } = self;
        let peer = peer.unwrap_or_else(|| app.next_peer());
        let opening = server::open(app.router.clone(), app.probe.clone(), peer, request, at);
        let opened = match tokio::time::timeout(app.patience, opening).await {
            Ok(opened) => opened?,
            Err(_) => fail(at, format_args!("the upgrade got no answer within {:?}", app.patience)),
        };
        let accept = opened.headers.get(header::SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
        let chosen = self.headers.get(header::SEC_WEBSOCKET_KEY).map_or(key.as_bytes(), HeaderValue::as_bytes);
        if accept != Some(handshake::derive_accept_key(chosen).as_bytes()) {
            fail(at, "the 101 has a wrong Sec-WebSocket-Accept");
        }
        let protocol = opened.headers.get(header::SEC_WEBSOCKET_PROTOCOL).map(HeaderValue::as_bytes);
        let wire = if protocol == Some(b"switchboard.v1.msgpack") {
            Wire::messagepack(envelope)
        } else {
            Wire::json(envelope)
        };
        let stream = WebSocketStream::from_raw_socket(opened.stream, Role::Client, None).await;
        Ok(TestClient::new(stream, opened.headers, wire, app.patience))
    }
}

/// Percent-encodes all but what may stand anywhere in a query.
fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // A `String` takes everything.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

impl<'a> IntoFuture for Connect<'a> {
    type Output = Result<TestClient, Refusal>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

impl fmt::Debug for Connect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers may hold credentials.
        f.debug_struct("Connect").field("path", &self.path).finish_non_exhaustive()
    }
}
