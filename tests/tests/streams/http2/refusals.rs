//! What is no handshake over HTTP/2.

use axum::{Router, body::Body};
use http::{Request, header::HeaderName};
use hyper::ext::Protocol;
use switchboard::WsRouter;
use switchboard_tests::{client::PATIENCE, conformance, serve::ws_route};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{answer, connect, dial, open, serve};

/// Changes a request, or takes a header out.
fn with(mut request: Request<Body>, name: &'static str, value: Option<&str>) -> Request<Body> {
    let name = HeaderName::from_static(name);
    match value {
        Some(value) => _ = request.headers_mut().insert(name, value.parse().unwrap()),
        None => _ = request.headers_mut().remove(name),
    }
    request
}

#[tokio::test]
async fn another_protocol() {
    let addr = serve(conformance::app()).await;
    let mut sender = dial(addr).await;
    for protocol in ["connect-udp", "websocket2"] {
        let mut request = connect(addr, "/ws");
        request.extensions_mut().insert(Protocol::from_static(protocol));
        let response = answer(&mut sender, request).await;
        assert_eq!(response.status(), 400, "{protocol}");
        assert!(!response.headers().contains_key("x-client-id"));
    }
    // The connection lives.
    open(&mut sender, connect(addr, "/ws")).await.assert_alive().await;
}

#[tokio::test]
async fn a_connect_without_a_protocol() {
    // It has no path, so only a fallback gets it.
    let router = Router::new().fallback_service(ws_route(WsRouter::<()>::new()));
    let addr = serve(router).await;
    let stream = TcpStream::connect(addr).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut sender = timeout(PATIENCE, sender.ready()).await.unwrap().unwrap();
    let request = Request::connect(addr.to_string()).header("sec-websocket-version", "13").body(()).unwrap();
    let (response, _send) = sender.send_request(request, false).unwrap();
    let response = timeout(PATIENCE, response).await.expect("an answer in time").unwrap();
    assert_eq!(response.status(), 426);
    for absent in ["x-client-id", "upgrade", "connection"] {
        assert!(!response.headers().contains_key(absent), "{absent}");
    }
}

#[tokio::test]
async fn a_get() {
    let addr = serve(conformance::app()).await;
    let mut sender = dial(addr).await;
    let request = Request::get(format!("http://{addr}/ws")).header("sec-websocket-version", "13");
    let response = answer(&mut sender, request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), 426);
    // HTTP/2 has no such headers.
    for absent in ["upgrade", "connection"] {
        assert!(!response.headers().contains_key(absent), "{absent}");
    }
}

#[tokio::test]
async fn versions() {
    let addr = serve(conformance::app()).await;
    let mut sender = dial(addr).await;
    for (version, status) in [(Some("8"), 426), (Some("14"), 426), (None, 400)] {
        let request = with(connect(addr, "/ws"), "sec-websocket-version", version);
        let response = answer(&mut sender, request).await;
        assert_eq!(response.status(), status, "{version:?}");
        let told = response.headers().get("sec-websocket-version").map(|value| value.to_str().unwrap());
        assert_eq!(told, (status == 426).then_some("13"));
    }
}

#[tokio::test]
async fn subprotocols() {
    let addr = serve(conformance::app()).await;
    let mut sender = dial(addr).await;
    let many = vec!["p"; 65].join(",");
    let response = answer(&mut sender, with(connect(addr, "/ws"), "sec-websocket-protocol", Some(&many))).await;
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn origins_and_tokens() {
    let addr = serve(conformance::app()).await;
    let mut sender = dial(addr).await;
    // `:authority` stands for `Host`.
    let own = format!("http://{addr}");
    open(&mut sender, with(connect(addr, "/ws"), "origin", Some(&own))).await.assert_alive().await;
    let foreign = answer(&mut sender, with(connect(addr, "/ws"), "origin", Some("https://evil.example"))).await;
    assert_eq!(foreign.status(), 403);
    let nobody = answer(&mut sender, connect(addr, "/secure")).await;
    assert_eq!(nobody.status(), 401);
    let alice = with(connect(addr, "/secure"), "authorization", Some("Bearer alice"));
    open(&mut sender, alice).await.assert_alive().await;
}

#[tokio::test]
async fn connect_over_http_1() {
    let addr = serve(Router::new().fallback_service(ws_route(WsRouter::<()>::new()))).await;
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let request = "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    timeout(PATIENCE, stream.read_exact(&mut head)).await.expect("an answer in time").unwrap();
    assert_eq!(&head, b"HTTP/1.1 400");
}
