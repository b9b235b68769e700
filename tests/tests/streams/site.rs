//! A server behind some kind of stream.

use axum::Router;
use futures_util::StreamExt as _;
use switchboard_tests::client::{Client, PATIENCE};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};
use tokio_tungstenite::{client_async, tungstenite::Message};

/// What a client writes to and reads from.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for T {}

/// A server, and how to get a WebSocket to it. It ends with the test's runtime.
pub(crate) trait Site: Sized {
    type Stream: Stream;

    /// Whether whoever sends can write without waiting. Else only the connection's task writes, once the handler
    /// waits.
    const IS_SOCKET: bool;

    /// Whether the answer to a client's close frame, and to what came together with it, arrives on axum's transport:
    /// tungstenite writes them and does not flush the stream.
    const ARRIVES_UNFLUSHED: bool = true;

    async fn start(app: Router) -> Self;

    async fn connect(&self, path: &str) -> Client<Self::Stream>;
}

/// A server that speaks HTTP/1.1.
pub(crate) trait Http1: Site {
    /// A connection on which nothing was said yet.
    async fn dial(&self) -> Self::Stream;
}

/// Upgrades a connection of HTTP/1.1.
pub(crate) async fn upgrade<S: Stream>(stream: S, path: &str) -> Client<S> {
    let handshake = client_async(format!("ws://localhost{path}"), stream);
    let (ws, response) = timeout(PATIENCE, handshake).await.expect("an answer in time").unwrap();
    Client { ws, headers: response.headers().clone() }
}

/// Whether the tests run on axum's transport instead of our own.
pub(crate) fn is_axum() -> bool {
    std::env::var("SWITCHBOARD_TRANSPORT").is_ok_and(|transport| transport == "axum")
}

/// Waits until the stream is closed, which it must be in order: no reset, no lack of TLS's own closing.
pub(crate) async fn expect_end<S: Stream>(client: &mut Client<S>) {
    match timeout(PATIENCE, client.ws.next()).await.expect("the end in time") {
        None => {}
        // axum drops the stream without closing it, which TLS tells from its end.
        Some(Err(_)) if is_axum() => {}
        Some(other) => panic!("not the end: {other:?}"),
    }
}

/// The next frame, pings and pongs included.
pub(crate) async fn any_frame<S: Stream>(client: &mut Client<S>) -> Message {
    timeout(PATIENCE, client.ws.next()).await.expect("a frame in time").unwrap().unwrap()
}
