//! Upgrades, and how connections end.

use axum::{Router, extract::Query, http::StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use switchboard::{
    CloseReason, Conn, EnvelopeStyle, Hub, OriginPolicy, WsRouter, test::TestApp, ws_message, ws_route, ws_rpc,
};

use crate::app::{Answer, Join, Joined, Say, Welcome, apps, rooms, site};

#[tokio::test(start_paused = true)]
async fn clients_connect_with_a_token_and_meet_in_a_room() {
    for app in apps() {
        let mut ann = app.connect().bearer("ann").await.unwrap();
        assert_eq!(ann.expect::<Welcome>().await.name, "ann");
        ann.send(Join { room: "lobby".into() }).await;
        assert_eq!(ann.expect::<Joined>().await.name, "ann");

        let mut bob = app.connect().query("access_token", "bo b&=").await.unwrap();
        assert_eq!(bob.expect::<Welcome>().await.name, "bo b&=");
        bob.send(Join { room: "lobby".into() }).await;
        assert_eq!(bob.expect::<Joined>().await.name, "bo b&=");
        assert_eq!(ann.expect::<Joined>().await.name, "bo b&=");

        ann.send(Say { room: "lobby".into(), text: "hi".into() }).await;
        assert_eq!(bob.expect::<Answer>().await.text, "hi");
        assert_ne!(ann.id(), bob.id());
        assert_eq!(app.hub().topic("lobby").local_subscriber_count(), 2);
        bob.close().await;
        bob.expect_close(1000).await;
        app.settle().await;
        assert_eq!(app.hub().topic("lobby").local_subscriber_count(), 1);
        drop(ann);
        app.settle().await;
        assert_eq!(app.hub().stats().connections, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_error_with_all_of_the_response() {
    for app in apps() {
        let refusal = app.connect().await.unwrap_err();
        assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED);
        let refusal = app.connect().bearer("eve").await.unwrap_err();
        assert_eq!(refusal.status(), StatusCode::FORBIDDEN);
        assert_eq!(refusal.text().len(), 70_000);
        assert!(refusal.headers().contains_key("content-type"));
        assert!(refusal.to_string().starts_with("the upgrade was refused with 403 Forbidden: not you"), "{refusal}");
        let refusal = app.connect().bearer("ann").origin("https://evil.example").await.unwrap_err();
        assert_eq!(refusal.status(), StatusCode::FORBIDDEN);
        assert!(refusal.text().contains("evil.example"), "{refusal}");
        let refusal = app.connect().path("/nowhere").bearer("ann").await.unwrap_err();
        assert_eq!(refusal.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_after_the_accept_is_a_close_code() {
    let app = TestApp::new(rooms().refuse_after_accept());
    let mut eve = app.connect().bearer("eve").await.unwrap();
    assert_eq!(eve.expect_close(4403).await, "Forbidden");
}

#[ws_message("SEEN")]
struct Seen {
    name: String,
    address: String,
}

#[ws_rpc("WHO", response = Seen)]
struct Who;

#[derive(Deserialize, Clone)]
struct Name {
    name: String,
}

#[tokio::test(start_paused = true)]
async fn all_parts_of_the_request_arrive() {
    async fn who(conn: Conn, Query(query): Query<Name>, _: Who) -> Seen {
        Seen { name: query.name, address: conn.remote_addr().map_or_else(String::new, |addr| addr.to_string()) }
    }
    let origin = OriginPolicy::list(["https://a.example"]);
    let app = TestApp::new(WsRouter::new().origin(origin).protocols(["chat.v2"]).on(who));
    let connect = app.connect().path("/?x=1").query("name", "ä/?").peer("10.0.0.1:9".parse().unwrap());
    let connect = connect.origin("https://a.example").subprotocol("chat.v1").subprotocol("chat.v2").cookie("a", "b");
    let mut ann = connect.header("host", "b.example").await.unwrap();
    let seen = ann.call(Who).await.unwrap();
    assert_eq!((seen.name.as_str(), seen.address.as_str()), ("ä/?", "10.0.0.1:9"));
    assert_eq!(ann.protocol(), Some("chat.v2"));
    let mut bob = app.connect().query("name", "bob").await.unwrap();
    let mut cleo = app.connect().query("name", "cleo").await.unwrap();
    assert_eq!(bob.protocol(), None);
    let (bob, cleo) = (bob.call(Who).await.unwrap(), cleo.call(Who).await.unwrap());
    assert!(bob.address.starts_with("127.0.0.1:"), "{}", bob.address);
    assert_ne!(bob.address, cleo.address);
}

#[tokio::test(start_paused = true)]
async fn a_whole_application_with_its_hub() {
    let (router, hub) = site();
    let app = TestApp::axum(router, "/ws");
    let ann = app.connect().bearer("ann").await.unwrap();
    assert_eq!(app.hub().stats().connections, 1);
    assert!(hub.connection(ann.id()).disconnect().await);
    let (router, hub) = site();
    let app = TestApp::axum(router, "/ws").with_hub(&hub);
    assert_eq!(app.hub().stats().connections, 0);
}

#[tokio::test(start_paused = true)]
async fn messagepack_and_other_envelopes_are_spoken() {
    #[ws_rpc("PLUS", response = Answer)]
    struct Plus {
        a: f64,
    }
    let routes = || WsRouter::new().on(async |plus: Plus| Answer { text: plus.a.to_string() });
    let app = TestApp::new(routes());
    let mut ann = app.connect().subprotocol("switchboard.v1.msgpack").await.unwrap();
    let hello: Value = ann.recv_json().await;
    assert_eq!((&hello["type"], &hello["payload"]["clientId"]), (&json!("$ws:hello"), &json!(ann.id().to_string())));
    assert_eq!(ann.call(Plus { a: 1.5 }).await.unwrap().text, "1.5");
    ann.send_json(json!({ "type": "PLUS", "payload": { "b": 1 } })).await;
    ann.expect_error("INVALID_ARGUMENT").await;
    ann.send_binary(&b"\xc1"[..]).await;
    ann.expect_error("INVALID_ARGUMENT").await;
    for style in [EnvelopeStyle::Flat, EnvelopeStyle::PayloadKey("data".into())] {
        let app = TestApp::new(routes().envelope(style.clone()));
        let mut ann = app.connect().envelope(style).await.unwrap();
        assert_eq!(ann.call(Plus { a: 2.5 }).await.unwrap().text, "2.5");
        ann.send_text(r#"{"type":"NO"}"#).await;
        ann.expect_error("UNIMPLEMENTED").await;
    }
}

#[tokio::test(start_paused = true)]
async fn both_sides_can_end_it() {
    let (closed, mut reasons) = tokio::sync::mpsc::channel(8);
    let on_close = move |reason: CloseReason| {
        let closed = closed.clone();
        async move { closed.send((reason.code().get(), reason.reason().to_owned())).await.unwrap() }
    };
    let hub = Hub::new();
    let ws = WsRouter::<(), ()>::new().hub(hub.clone()).on_close(on_close);
    let app = TestApp::axum(Router::new().route("/", ws_route(ws)), "/");

    let mut ann = app.connect().await.unwrap();
    ann.close_with(4000, "bye").await;
    ann.expect_close(4000).await;
    assert_eq!(reasons.recv().await.unwrap(), (4000, "bye".to_owned()));
    // To no effect.
    ann.send_text("x").await;

    drop(app.connect().await.unwrap());
    assert_eq!(reasons.recv().await.unwrap().0, 1006);

    let mut bob = app.connect().await.unwrap();
    assert!(hub.connection(bob.id()).disconnect().await);
    assert_eq!(bob.expect_close(4503).await, "kicked");
    assert_eq!(reasons.recv().await.unwrap().0, 4503);
}
