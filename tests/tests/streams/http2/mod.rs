//! HTTP/2: extended CONNECT (RFC 8441).

mod refusals;

use std::{future::poll_fn, net::SocketAddr, task::Poll};

use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use http::{Method, Request, Response, Version};
use hyper::{body::Incoming, client::conn::http2::SendRequest, ext::Protocol, upgrade::Upgraded};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use switchboard::{ClosedBy, Config};
use switchboard_tests::{
    client::{Client, PATIENCE, masked},
    conformance,
    serve::{listen, serve_on},
};
use tokio::{net::TcpStream, sync::Mutex, task::JoinHandle, time::timeout};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};

use crate::{
    app::{App, enter},
    site::{Site, is_axum},
};

/// Each WebSocket on a connection of its own.
pub(crate) struct Apart(SocketAddr);

/// All WebSockets on one connection.
pub(crate) struct Together {
    addr: SocketAddr,
    sender: Mutex<SendRequest<Body>>,
}

async fn serve(app: Router) -> SocketAddr {
    let listener = listen(0).unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(serve_on(listener, app));
    addr
}

/// A connection that knows the server's settings, the leave for extended CONNECT among them.
async fn dial(addr: SocketAddr) -> SendRequest<Body> {
    let stream = TcpStream::connect(addr).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    // The settings come before any response.
    let request = Request::get(format!("http://{addr}/nothing-here")).body(Body::empty()).unwrap();
    assert_eq!(answer(&mut sender, request).await.status(), 404);
    sender
}

async fn answer(sender: &mut SendRequest<Body>, request: Request<Body>) -> Response<Incoming> {
    timeout(PATIENCE, sender.send_request(request)).await.expect("an answer in time").unwrap()
}

/// An extended CONNECT as a browser sends it.
fn connect(addr: SocketAddr, path: &str) -> Request<Body> {
    Request::connect(format!("http://{addr}{path}"))
        .extension(Protocol::from_static("websocket"))
        .header("sec-websocket-version", "13")
        .body(Body::empty())
        .unwrap()
}

async fn open(sender: &mut SendRequest<Body>, request: Request<Body>) -> Client<TokioIo<Upgraded>> {
    let response = answer(sender, request).await;
    assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_2));
    let headers = response.headers().clone();
    let stream = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    Client { ws: WebSocketStream::from_raw_socket(stream, Role::Client, None).await, headers }
}

impl Site for Apart {
    type Stream = TokioIo<Upgraded>;

    const IS_SOCKET: bool = false;

    async fn start(app: Router) -> Self {
        Self(serve(app).await)
    }

    async fn connect(&self, path: &str) -> Client<Self::Stream> {
        open(&mut dial(self.0).await, connect(self.0, path)).await
    }
}

impl Site for Together {
    type Stream = TokioIo<Upgraded>;

    const IS_SOCKET: bool = false;

    async fn start(app: Router) -> Self {
        let addr = serve(app).await;
        Self { addr, sender: Mutex::new(dial(addr).await) }
    }

    async fn connect(&self, path: &str) -> Client<Self::Stream> {
        open(&mut *self.sender.lock().await, connect(self.addr, path)).await
    }
}

mod apart {
    scenarios!(super::Apart);
}

mod together {
    scenarios!(super::Together);
}

#[tokio::test]
async fn the_response_is_200_with_the_subprotocol_and_the_id() {
    let addr = serve(conformance::app()).await;
    let mut sender = dial(addr).await;
    let mut request = connect(addr, "/secure");
    request.headers_mut().insert("sec-websocket-protocol", "chat, bearer.alice".parse().unwrap());
    let mut client = open(&mut sender, request).await;
    for absent in ["sec-websocket-accept", "upgrade", "connection", "sec-websocket-extensions"] {
        assert!(!client.headers.contains_key(absent), "{absent}");
    }
    assert_eq!(client.headers["sec-websocket-protocol"], "bearer.alice");
    let id = client.headers["x-client-id"].to_str().unwrap().to_owned();
    let me = client.request("WHOAMI", "c1", json!({})).await;
    assert_eq!((&me["payload"]["clientId"], &me["payload"]["user"]), (&json!(id), &json!("alice")));
    assert!(!me["payload"]["remoteAddr"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn a_websocket_and_requests_share_a_connection() {
    let app = App::new(Config::new());
    let router = app.router.clone().route("/page", get(async || "page"));
    let addr = serve(router).await;
    let mut sender = dial(addr).await;
    let mut client = open(&mut sender, connect(addr, "/ws")).await;
    enter(&mut client).await;
    for n in 0..20 {
        let page = Request::get(format!("http://{addr}/page")).body(Body::empty()).unwrap();
        let (page, reply) = tokio::join!(
            answer(&mut sender, page),
            client.request("SAY", "c", json!({ "from": 0, "n": n, "bytes": 1 }))
        );
        assert_eq!(page.status(), 200);
        assert_eq!(reply["type"], "NOTE");
        client.expect("REACHED").await;
    }
    drop(client);
    app.is_empty().await;
}

/// A WebSocket by the `h2` crate, whose streams are in our hands.
struct Raw {
    send: h2::SendStream<Bytes>,
    response: h2::client::ResponseFuture,
}

/// The socket goes with the task.
async fn raw_connection(addr: SocketAddr) -> (h2::client::SendRequest<Bytes>, JoinHandle<()>) {
    let stream = TcpStream::connect(addr).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    let task = tokio::spawn(async move { _ = connection.await });
    let sender = timeout(PATIENCE, sender.ready()).await.unwrap().unwrap();
    let settings = async {
        while !sender.is_extended_connect_protocol_enabled() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, settings).await.expect("settings in time");
    (sender, task)
}

fn raw_open(sender: &mut h2::client::SendRequest<Bytes>, addr: SocketAddr) -> Raw {
    let request = Request::builder()
        .method(Method::CONNECT)
        .uri(format!("http://{addr}/ws"))
        .version(Version::HTTP_2)
        .extension(h2::ext::Protocol::from_static("websocket"))
        .header("sec-websocket-version", "13")
        .body(())
        .unwrap();
    let (response, send) = sender.send_request(request, false).unwrap();
    Raw { send, response }
}

async fn raw(addr: SocketAddr) -> Raw {
    let (mut sender, _) = raw_connection(addr).await;
    raw_open(&mut sender, addr)
}

#[tokio::test]
async fn all_of_a_connection_that_is_lost_are_lost() {
    let mut app = App::new(Config::new());
    let addr = serve(app.router.clone()).await;
    let (mut sender, connection) = raw_connection(addr).await;
    let mut open = Vec::new();
    for _ in 0..10 {
        let Raw { mut send, response } = raw_open(&mut sender, addr);
        send.send_data(join(), false).unwrap();
        let mut body = timeout(PATIENCE, response).await.unwrap().unwrap().into_body();
        read_until(&mut body, "JOINED").await;
        open.push((send, body));
    }
    app.has_connections(10).await;
    connection.abort();
    for _ in 0..10 {
        assert_eq!(app.closed().await, (1006, ClosedBy::Lost));
    }
    app.is_empty().await;
}

fn join() -> Bytes {
    masked(0x81, json!({ "type": "JOIN", "payload": {} }).to_string().as_bytes()).into()
}

/// Reads data until it contains a text.
async fn read_until(body: &mut h2::RecvStream, text: &str) {
    let mut got = Vec::new();
    let read = async {
        while !String::from_utf8_lossy(&got).contains(text) {
            got.extend_from_slice(&body.data().await.expect("not the end").unwrap());
        }
    };
    timeout(PATIENCE, read).await.expect("it in time");
}

#[tokio::test]
async fn frames_before_the_response_are_not_lost() {
    let mut app = App::new(Config::new());
    let addr = serve(app.router.clone()).await;
    let Raw { mut send, response } = raw(addr).await;
    send.send_data(join(), false).unwrap();
    let response = timeout(PATIENCE, response).await.unwrap().unwrap();
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    read_until(&mut body, "JOINED").await;
    // And the end of the stream without a close frame is a loss.
    send.send_data(Bytes::new(), true).unwrap();
    assert_eq!(app.closed().await, (1006, ClosedBy::Lost));
    app.is_empty().await;
}

#[tokio::test]
async fn a_stream_that_is_reset_is_lost() {
    for reason in [h2::Reason::CANCEL, h2::Reason::INTERNAL_ERROR, h2::Reason::NO_ERROR] {
        let mut app = App::new(Config::new());
        let addr = serve(app.router.clone()).await;
        let Raw { mut send, response } = raw(addr).await;
        send.send_data(join(), false).unwrap();
        let mut body = timeout(PATIENCE, response).await.unwrap().unwrap().into_body();
        read_until(&mut body, "JOINED").await;
        send.send_reset(reason);
        assert_eq!(app.closed().await, (1006, ClosedBy::Lost));
        app.is_empty().await;
    }
}

/// The close frame, then the end of the stream, and no reset: to the client that would be an error.
#[tokio::test]
async fn a_stream_that_the_client_closes_ends_without_a_reset() {
    let mut app = App::new(Config::new());
    let addr = serve(app.router.clone()).await;
    let Raw { mut send, response } = raw(addr).await;
    send.send_data(masked(0x88, &1000u16.to_be_bytes()).into(), false).unwrap();
    let mut body = timeout(PATIENCE, response).await.unwrap().unwrap().into_body();
    let read = async {
        let mut got = Vec::new();
        while let Some(data) = body.data().await {
            got.extend_from_slice(&data.unwrap());
        }
        got
    };
    let got = timeout(PATIENCE, read).await.expect("the end in time");
    assert_eq!(got, [0x88, 2, 0x03, 0xe8]);
    // axum drops the stream without waiting for the client's end.
    if !is_axum() {
        send.send_data(Bytes::new(), true).unwrap();
    }
    assert_eq!(app.closed().await, (1000, ClosedBy::Client));
    app.is_empty().await;
}

#[tokio::test]
async fn a_stream_that_the_server_closes_ends_without_a_reset() {
    if is_axum() {
        // It drops the stream once it has the client's close frame.
        return;
    }
    let mut app = App::new(Config::new().close_timeout(3 * PATIENCE));
    let addr = serve(app.router.clone()).await;
    let (mut sender, _) = raw_connection(addr).await;
    let Raw { mut send, response } = raw_open(&mut sender, addr);
    let close = json!({ "type": "CLOSE", "payload": { "code": 1008, "reason": "" } });
    send.send_data(masked(0x81, close.to_string().as_bytes()).into(), false).unwrap();
    let mut body = timeout(PATIENCE, response).await.unwrap().unwrap().into_body();
    let frame = timeout(PATIENCE, body.data()).await.expect("a close frame in time").unwrap().unwrap();
    assert_eq!(frame[..], [0x88, 2, 0x03, 0xf0]);
    send.send_data(masked(0x88, &1008u16.to_be_bytes()).into(), false).unwrap();
    // The client takes its time to end the stream.
    for _ in 0..50 {
        let request = Request::get(format!("http://{addr}/nothing-here")).body(()).unwrap();
        let (response, _) = sender.send_request(request, true).unwrap();
        assert_eq!(timeout(PATIENCE, response).await.unwrap().unwrap().status(), 404);
        let reset = poll_fn(|cx| Poll::Ready(send.poll_reset(cx))).await;
        assert!(reset.is_pending(), "{reset:?}");
    }
    send.send_data(Bytes::new(), true).unwrap();
    assert_eq!(app.closed().await, (1008, ClosedBy::Server));
    app.is_empty().await;
}
