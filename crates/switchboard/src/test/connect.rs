//! Opening WebSocket connections.

use std::{fmt, future::IntoFuture, net::SocketAddr, panic::Location};

use axum::{body::Body, extract::Request};
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, header};
use switchboard_core::envelope::{EnvelopeStyle, Wire};
use tokio_tungstenite::{WebSocketStream, tungstenite::handshake, tungstenite::protocol::Role};

use super::{
    Refusal, TestApp, TestClient,
    failure::fail,
    http::{encode_parameter, parse_header},
    server,
};

/// A WebSocket upgrade, requested when it is awaited.
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
/// The HTTP response, if its status is not 101.
///
/// # Panics
///
/// If there is no response within the [`patience`](TestApp::patience), or an invalid one.
///
/// # Cancel safety
///
/// If the future is dropped before it is ready, the connection is closed.
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

    /// Sets the path, with or without a query. Default: the app's path.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Adds a parameter to the query, percent-encoded.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        encode_parameter(&mut self.query, name, value);
        self
    }

    /// Adds a header. It replaces a default header of upgrades, such as `Host`.
    ///
    /// # Panics
    ///
    /// If the name or the value is not valid in HTTP.
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let (name, value) = parse_header(Location::caller(), name, value);
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

    /// Offers a subprotocol, after those offered before. If the server selects `switchboard.v1.json` or
    /// `switchboard.v1.msgpack`, the client speaks it; frames of the protocol itself (`$ws:…`) are
    /// returned by [`recv_json`](TestClient::recv_json) only.
    ///
    /// # Panics
    ///
    /// As [`header`](Self::header).
    #[track_caller]
    pub fn subprotocol(self, name: &str) -> Self {
        self.header("sec-websocket-protocol", name)
    }

    /// Sets the `Origin`, as browsers do. Default: none.
    ///
    /// # Panics
    ///
    /// As [`header`](Self::header).
    #[track_caller]
    pub fn origin(self, origin: &str) -> Self {
        self.header("origin", origin)
    }

    /// Sets the client's address. Default: 127.0.0.1, with another port for each connection.
    pub fn peer(mut self, peer: SocketAddr) -> Self {
        self.peer = Some(peer);
        self
    }

    /// Sets the form of envelopes. It must be that of the router's
    /// [`envelope`](crate::WsRouter::envelope).
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
            Err(error) => fail(self.at, format_args!("{target:?} is not a valid path: {error}")),
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
            Err(_) => fail(at, format_args!("the upgrade got no response within {:?}", app.patience)),
        };
        let accept = opened.headers.get(header::SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
        let chosen = self.headers.get(header::SEC_WEBSOCKET_KEY).map_or(key.as_bytes(), HeaderValue::as_bytes);
        if accept != Some(handshake::derive_accept_key(chosen).as_bytes()) {
            fail(at, "the response to the upgrade has a wrong Sec-WebSocket-Accept");
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
