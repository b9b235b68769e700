//! How many may connect.

use std::{sync::Arc, time::Duration};

use axum::{Router, http::StatusCode};
use switchboard::{Config, Hub, Identity, TrustedProxies, WsRouter};
use switchboard_tests::{
    client::{Client, PATIENCE, Refusal, Server},
    serve::ws_route,
};
use tokio::sync::Notify;

fn is_full(refusal: &Refusal) -> bool {
    refusal.status == StatusCode::SERVICE_UNAVAILABLE && refusal.headers.contains_key("retry-after")
}

#[tokio::test]
async fn connections_of_a_hub_are_limited() {
    let hub = Hub::builder().max_connections(2).build();
    let ws = || ws_route(WsRouter::<()>::new().hub(hub.clone()));
    let server = Server::start(Router::new().route("/a", ws()).route("/b", ws()));
    let one = server.connect("/a").await;
    let _two = server.connect("/b").await;
    assert!(is_full(&server.upgrade("/a", &[]).await.unwrap_err()));
    // A refused one takes no place; one that leaves gives it back.
    drop(one);
    upgrade_when_there_is_room(&server, "/a").await;
}

async fn upgrade_when_there_is_room(server: &Server, route: &str) -> Client {
    let again = async {
        loop {
            match server.upgrade(route, &[]).await {
                Ok(client) => return client,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, again).await.unwrap()
}

#[tokio::test]
async fn connections_of_an_address_behind_a_trusted_proxy_are_limited() {
    let hub = || Hub::builder().max_connections_per_ip(1).build();
    let proxies = TrustedProxies::new(["127.0.0.1"]).unwrap();
    let ws = WsRouter::<()>::new().hub(hub()).trusted_proxies(proxies);
    let strict = WsRouter::<()>::new().hub(hub());
    let server = Server::start(Router::new().route("/ws", ws_route(ws)).route("/direct", ws_route(strict)));
    let from = |ip| [("x-forwarded-for", ip)];
    let _a = server.upgrade("/ws", &from("1.1.1.1")).await.unwrap();
    let _b = server.upgrade("/ws", &from("9.9.9.9, 2.2.2.2")).await.unwrap();
    assert!(is_full(&server.upgrade("/ws", &from("2.2.2.2")).await.unwrap_err()));
    assert!(is_full(&server.upgrade("/ws", &from("8.8.8.8, 1.1.1.1")).await.unwrap_err()));
    // Without a trusted proxy the header is only what a client says.
    let _c = server.upgrade("/direct", &from("1.1.1.1")).await.unwrap();
    assert!(is_full(&server.upgrade("/direct", &from("3.3.3.3")).await.unwrap_err()));
}

#[tokio::test]
async fn connections_of_a_user_are_limited_with_4504() {
    let ws = WsRouter::<()>::new()
        .hub(Hub::builder().max_connections_per_user(1).build())
        .identify(|_| Some(Identity::new("ann")))
        .on_open(async || ());
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let one = server.connect("/ws").await;
    for _ in 0..3 {
        assert_eq!(server.connect("/ws").await.expect_close().await.0, 4504);
    }
    let extended = [("sec-websocket-protocol", "switchboard.v1.json")];
    let mut client = server.upgrade("/ws", &extended).await.unwrap();
    client.expect("$ws:hello").await;
    assert_eq!(client.expect_close().await.0, 4504);
    drop(one);
    let again = async {
        loop {
            let mut client = server.connect("/ws").await;
            client.text("x").await;
            if !client.frame().await.is_close() {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), again).await.unwrap();
}

#[tokio::test]
async fn upgrades_that_are_not_decided_yet_are_limited() {
    let go = Arc::new(Notify::new());
    let wait = {
        let go = Arc::clone(&go);
        async move || {
            go.notified().await;
            Ok::<_, StatusCode>(())
        }
    };
    let hub = Hub::builder().max_pending_upgrades(2).build();
    let ws = WsRouter::new().hub(hub.clone()).authenticate(wait);
    let server = Arc::new(Server::start(Router::new().route("/ws", ws_route(ws))));
    let mut upgrades = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let server = Arc::clone(&server);
        upgrades.spawn(async move { server.upgrade("/ws", &[]).await.map(|_| ()) });
    }
    // One of the three is refused while the others wait.
    let refused = upgrades.join_next().await.unwrap().unwrap().unwrap_err();
    assert!(is_full(&refused));
    for _ in 0..2 {
        go.notify_one();
        upgrades.join_next().await.unwrap().unwrap().unwrap();
    }
}

/// A limit that was asked for and cannot be kept must not be thought to be.
#[tokio::test]
async fn without_addresses_nobody_gets_past_the_limit_per_ip() {
    let ws = |hub| ws_route(WsRouter::<()>::new().hub(hub));
    let limited = ws(Hub::builder().max_connections_per_ip(100).build());
    let app = Router::new().route("/limited", limited).route("/ws", ws(Hub::new()));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let server = Server { addr, task };
    assert_eq!(server.upgrade("/limited", &[]).await.unwrap_err().status, StatusCode::INTERNAL_SERVER_ERROR);
    server.upgrade("/ws", &[]).await.unwrap();
}

/// Routes of their own settings, one of them without any, count together.
#[tokio::test]
async fn attack_a12_two_routes_of_a_hub_share_its_limits() {
    let serve = |hub: &Hub| {
        let quick = Config::new().max_message_bytes(1024);
        let ws = |config| {
            let ws = WsRouter::<()>::new().hub(hub.clone()).config(config);
            ws_route(ws.identify(|_| Some(Identity::new("ann"))).on_open(async || ()))
        };
        Server::start(Router::new().route("/a", ws(quick)).route("/b", ws(Config::new())))
    };
    for hub in [Hub::builder().max_connections(2).build(), Hub::builder().max_connections_per_ip(2).build()] {
        let server = serve(&hub);
        let one = server.connect("/a").await;
        let _two = server.connect("/b").await;
        for route in ["/a", "/b"] {
            assert!(is_full(&server.upgrade(route, &[]).await.unwrap_err()), "{route} {hub:?}");
        }
        assert_eq!(hub.stats().connections, 2);
        // One that leaves gives its place back, and only that.
        drop(one);
        let _three = upgrade_when_there_is_room(&server, "/a").await;
        for route in ["/a", "/b"] {
            assert!(is_full(&server.upgrade(route, &[]).await.unwrap_err()), "{route} {hub:?}");
        }
    }
    let hub = Hub::builder().max_connections_per_user(2).build();
    let server = serve(&hub);
    let _one = server.connect("/a").await;
    let _two = server.connect("/b").await;
    for route in ["/a", "/b"] {
        assert_eq!(server.connect(route).await.expect_close().await.0, 4504, "{route}");
    }
}

#[tokio::test]
async fn two_routes_of_a_hub_share_pending_upgrades() {
    let go = Arc::new(Notify::new());
    let hub = Hub::builder().max_pending_upgrades(2).build();
    let ws = || {
        let go = Arc::clone(&go);
        let wait = async move || {
            go.notified().await;
            Ok::<_, StatusCode>(())
        };
        ws_route(WsRouter::new().hub(hub.clone()).authenticate(wait))
    };
    let server = Arc::new(Server::start(Router::new().route("/a", ws()).route("/b", ws())));
    let mut upgrades = tokio::task::JoinSet::new();
    for route in ["/a", "/b", "/a", "/b"] {
        let server = Arc::clone(&server);
        upgrades.spawn(async move { server.upgrade(route, &[]).await.map(|_| ()) });
    }
    for _ in 0..2 {
        assert!(is_full(&upgrades.join_next().await.unwrap().unwrap().unwrap_err()));
    }
    assert_eq!(hub.stats().pending_upgrades, 2);
    for _ in 0..2 {
        go.notify_one();
        upgrades.join_next().await.unwrap().unwrap().unwrap();
    }
}
