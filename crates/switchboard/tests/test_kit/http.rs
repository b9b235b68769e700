//! Plain HTTP requests beside WebSocket connections.

use std::{future::pending, net::SocketAddr, time::Duration};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, RawQuery},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::IntoResponse,
    routing::{any, get},
};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use switchboard::{WsRouter, test::TestApp};

use crate::{
    app::{Answer, Welcome, site},
    failures::failure,
};

/// Answers with what arrived.
async fn echo(
    method: Method,
    uri: Uri,
    RawQuery(query): RawQuery,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let header = |name: &str| headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>();
    Json(json!({
        "method": method.as_str(),
        "path": uri.path(),
        "query": query,
        "peer": peer.to_string(),
        "host": header("host"),
        "authorization": header("authorization"),
        "cookie": header("cookie"),
        "contentType": header("content-type"),
        "body": String::from_utf8(body.to_vec()).unwrap(),
    }))
}

fn echoing() -> TestApp {
    TestApp::axum(Router::new().route("/echo", any(echo)), "/")
}

#[tokio::test(start_paused = true)]
async fn requests_reach_the_application_of_the_connections() {
    let (router, _) = site();
    let app = TestApp::axum(router, "/ws");
    let mut ann = app.connect().bearer("ann").await.unwrap();
    ann.expect::<Welcome>().await;

    let response = app.http().post("/announce").body("hi").await;
    assert_eq!((response.status(), response.text().as_str()), (StatusCode::OK, ""));
    assert_eq!(app.expect_published::<Answer>("all").await.text, "hi");

    assert_eq!(app.http().get("/nowhere").await.status(), StatusCode::NOT_FOUND);
    // The route of the WebSocket, without an upgrade.
    assert_eq!(app.http().get("/ws").await.status(), StatusCode::UPGRADE_REQUIRED);
    ann.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn methods_headers_and_bodies_arrive() {
    let app = echoing();
    let http = app.http();
    let request = http.put("/echo?a=1").query("b c", "d&e").bearer("token").cookie("k", "v").header("cookie", "x=y");
    let peer = SocketAddr::from(([192, 0, 2, 1], 5000));
    let response = request.peer(peer).json(&json!({ "n": 1 })).await;
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(
        response.json::<Value>(),
        json!({
            "method": "PUT",
            "path": "/echo",
            "query": "a=1&b%20c=d%26e",
            "peer": "192.0.2.1:5000",
            "host": ["localhost"],
            "authorization": ["Bearer token"],
            "cookie": ["k=v", "x=y"],
            "contentType": ["application/json"],
            "body": "{\"n\":1}",
        })
    );
    for (request, method) in [
        (http.get("/echo"), "GET"),
        (http.post("/echo"), "POST"),
        (http.patch("/echo"), "PATCH"),
        (http.delete("/echo"), "DELETE"),
        (http.request(Method::OPTIONS, "/echo"), "OPTIONS"),
    ] {
        let echoed: Value = request.header("host", "chat.example.com").await.json();
        assert_eq!((&echoed["method"], &echoed["host"]), (&json!(method), &json!(["chat.example.com"])));
    }
    let csv = http.post("/echo").json(&1).header("content-type", "text/csv").body("a,b").await;
    assert_eq!(csv.json::<Value>()["contentType"], json!(["text/csv"]));
    assert_eq!(serde_json::from_slice::<Value>(csv.body()).unwrap()["body"], "a,b");
}

#[tokio::test(start_paused = true)]
async fn failures_name_the_request() {
    let broken = || {
        stream::once(async {
            // After the head and the first part were sent.
            tokio::time::sleep(Duration::from_secs(1)).await;
            Err(std::io::Error::other("broken"))
        })
    };
    let breaking = move || async move { Body::from_stream(stream::iter([Ok("part")]).chain(broken())) };
    let router = Router::new()
        .route("/never", get(pending::<()>))
        .route("/text", get(async || (StatusCode::BAD_GATEWAY, "no JSON")))
        .route("/breaks", get(breaking));
    let app = TestApp::axum(router, "/");
    let http = app.http();

    let text = failure(async { http.get("/never").await }).await;
    assert_eq!(text, "GET /never got no complete response within 5s");
    let text = failure(async { http.get("/breaks").await }).await;
    assert!(text.starts_with("GET /breaks: the body of the response cannot be read: "), "{text}");
    let response = http.get("/text").await;
    let text = failure(async { response.json::<Vec<u8>>() }).await;
    assert!(text.starts_with("GET /text: expected alloc::vec::Vec<u8>, expected "), "{text}");
    assert!(text.ends_with("; got 502 Bad Gateway: no JSON"), "{text}");

    let text = failure(async { http.get("text").await }).await;
    assert_eq!(text, "GET text: the path must begin with `/`");
    let text = failure(async { http.get("/a b").await }).await;
    assert!(text.starts_with("GET /a b: invalid uri"), "{text}");
    let text = failure(async { http.get("/").header("a", "b\nc") }).await;
    assert_eq!(text, "\"b\\nc\" is not a valid value of the header a");
}

#[tokio::test(start_paused = true)]
async fn a_router_alone_answers_requests_that_are_no_upgrade() {
    let app = TestApp::new(WsRouter::<()>::new());
    assert_eq!(app.http().get("/").await.status(), StatusCode::UPGRADE_REQUIRED);
    assert_eq!(app.http().post("/").await.status(), StatusCode::METHOD_NOT_ALLOWED);
}
