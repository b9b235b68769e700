//! Mistakes that are found when the router is built, and routers made of routers.

use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::{Router, extract::State};
use serde_json::json;
use switchboard::{Conn, EnvelopeStyle, Identity, RawText, WsRouter};
use switchboard_tests::client::Server;
use switchboard_tests::serve::ws_route;

use crate::{Ping, Pong, serve};

async fn ping_a(_: Ping) -> Pong {
    Pong::new("a")
}

async fn ping_b(_: Ping) -> Pong {
    Pong::new("b")
}

async fn text_a(_: Conn, _: RawText) {}

async fn text_b(_: Conn, _: RawText) {}

/// The text of the panic.
fn panic_of<T>(build: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| drop(build()))).expect_err("it was built");
    panic.downcast_ref::<String>().cloned().expect("a text")
}

#[test]
fn two_handlers_for_one_type_are_both_named() {
    for text in [
        panic_of(|| WsRouter::<()>::new().on(ping_a).on(ping_b)),
        panic_of(|| WsRouter::<()>::new().on(ping_a).merge(WsRouter::new().on(ping_b))),
    ] {
        for part in ["`PING`", "ping_a", "ping_b", "building.rs:", "a type has one handler"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}

#[test]
fn two_raw_hooks_are_both_named() {
    let text = panic_of(|| WsRouter::<()>::new().on_text(text_a).merge(WsRouter::new().on_text(text_b)));
    assert!(text.contains("on_text") && text.contains("text_a") && text.contains("text_b"), "{text}");
}

#[test]
fn handlers_beside_a_raw_hook_are_named() {
    let text = panic_of(|| ws_route::<(), (), _, _>(WsRouter::new().on(ping_a).on_text(text_a)));
    assert!(text.contains("on_text") && text.contains("PING"), "{text}");
}

#[test]
fn settings_of_a_merged_router_are_named_and_not_lost() {
    use switchboard::{Config, Hub, OriginPolicy, TokenSources, TransportKind, TrustedProxies};
    type Set = fn(WsRouter) -> WsRouter;
    let settings: [(&str, Set); 9] = [
        ("hub", |ws| ws.hub(Hub::new())),
        ("config", |ws| ws.config(Config::new())),
        ("origin", |ws| ws.origin(OriginPolicy::any())),
        ("tokens", |ws| ws.tokens(TokenSources::default())),
        ("protocols", |ws| ws.protocols(["a"])),
        ("transport", |ws| ws.transport(TransportKind::Native)),
        ("trusted_proxies", |ws| ws.trusted_proxies(TrustedProxies::none())),
        ("envelope", |ws| ws.envelope(EnvelopeStyle::Flat)),
        ("refuse_after_accept", |ws| ws.refuse_after_accept()),
    ];
    for (name, set) in settings {
        for text in [
            panic_of(|| WsRouter::<()>::new().merge(set(WsRouter::new()))),
            panic_of(|| WsRouter::<()>::new().nest("a.", set(WsRouter::new()).with_state(()))),
        ] {
            assert!(text.contains(&format!("`{name}` (")) && text.contains("building.rs:"), "{text}");
        }
        // On the outer one, any of them may be set.
        _ = set(WsRouter::new()).merge(WsRouter::new());
    }
    let hub = Hub::new();
    let chat = WsRouter::<()>::new().hub(hub.clone());
    _ = WsRouter::<()>::new().hub(hub).merge(chat);
}

#[test]
fn settings_that_cannot_work_are_named() {
    use switchboard::{Config, OriginPolicy};
    for entry in ["https://a.example/", "a.example", "*"] {
        let policy = OriginPolicy::same_origin().public_origin(entry);
        let text = panic_of(|| ws_route::<(), (), _, _>(WsRouter::new().origin(policy)));
        assert!(text.contains(entry) && text.contains("OriginPolicy"), "{text}");
    }
    let config = Config::new().handler_timeout(std::time::Duration::ZERO);
    let text = panic_of(|| ws_route::<(), (), _, _>(WsRouter::new().config(config)));
    assert!(text.contains("handler_timeout"), "{text}");
}

#[tokio::test]
async fn merged_routers_work_as_one() {
    async fn opened_a(conn: Conn) -> Result<(), switchboard::SendError> {
        conn.send(Pong::new("open a"))
    }
    async fn opened_b(conn: Conn) -> Result<(), switchboard::SendError> {
        conn.send(Pong::new("open b"))
    }
    let chat = WsRouter::new().on(ping_a).on_open(opened_b);
    let server = serve(WsRouter::new().on_open(opened_a).merge(chat));
    let mut client = server.connect("/ws").await;
    client.send("PING", json!({})).await;
    for text in ["open a", "open b", "a"] {
        assert_eq!(client.expect("PONG").await, json!({ "text": text }));
    }
}

#[tokio::test]
async fn hooks_run_in_the_order_of_calls_whichever_router_they_are_of() {
    let router = |name: &'static str| {
        let opened = async move |conn: Conn| conn.send(Pong::new(format!("open {name}")));
        let closed = async move |conn: Conn| conn.publish("left", Pong::new(format!("close {name}"))).await.map(drop);
        WsRouter::<()>::new().on_open(opened).on_close(closed)
    };
    // The same hooks, in front of the merged ones and behind them.
    let main = async |conn: Conn| conn.send(Pong::new("open last"));
    let watch = async |conn: Conn| conn.subscribe("left").await.map(drop);
    let ws = router("first").merge(router("a")).nest("b.", router("b")).on_open(main).on_open(watch);
    let server = serve(ws);
    let (mut stays, mut goes) = (server.connect("/ws").await, server.connect("/ws").await);
    for client in [&mut stays, &mut goes] {
        for text in ["open first", "open a", "open b", "open last"] {
            assert_eq!(client.expect("PONG").await["text"], text);
        }
    }
    goes.close(1000).await;
    for text in ["close first", "close a", "close b"] {
        assert_eq!(stays.expect("PONG").await["text"], text);
    }
}

#[tokio::test]
async fn a_merged_router_says_who_it_is_where_the_others_do_not() {
    async fn who(conn: Conn, _: Ping) -> Pong {
        Pong::new(conn.user().as_deref().unwrap_or("nobody"))
    }
    let ws = || WsRouter::<()>::new();
    let named = |name: &'static str| ws().identify(move |()| Some(Identity::new(name)));
    for (ws, user) in [
        (ws().merge(ws()), "nobody"),
        (ws().merge(named("merged")), "merged"),
        (ws().nest("a.", named("nested").with_state(())), "nested"),
        // Its own is before those of others, whatever the order.
        (ws().merge(named("merged")).identify(|()| Some(Identity::new("own"))), "own"),
        (named("own").merge(named("merged")), "own"),
        (ws().merge(named("first")).merge(named("second")), "first"),
    ] {
        let server = serve(ws.on(who));
        let mut client = server.connect("/ws").await;
        client.send("PING", json!({})).await;
        assert_eq!(client.expect("PONG").await["text"], user);
    }
}

#[tokio::test]
async fn a_merged_router_keeps_a_state_of_its_own() {
    #[switchboard::ws_message("PING_STATE")]
    struct PingState {}

    async fn of_app(State(app): State<&'static str>, _: Ping) -> Pong {
        Pong::new(app)
    }
    async fn of_db(State(db): State<u32>, _: PingState) -> Pong {
        Pong::new(db.to_string())
    }
    async fn opened(State(db): State<u32>, conn: Conn) -> Result<(), switchboard::SendError> {
        conn.send(Pong::new(format!("open {db}")))
    }
    let db = WsRouter::<u32>::new().on(of_db).on_open(opened).with_state(7);
    let ws = WsRouter::new().on(of_app).merge(db);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)).with_state("app"));
    let mut client = server.connect("/ws").await;
    client.send("PING", json!({})).await;
    client.send("PING_STATE", json!({})).await;
    for text in ["open 7", "app", "7"] {
        assert_eq!(client.expect("PONG").await, json!({ "text": text }));
    }
}
