//! Which layers run, and in which order.

use axum::Extension;
use serde_json::json;
use switchboard::{
    Failure, RouteOptions, WsError, WsReply, WsRequest, WsRouter,
    middleware::{Next, from_fn},
};
use tokio::sync::mpsc::unbounded_channel;

use crate::{Add, Log, Ping, Pong, Sum, add, ping, serve, source};

/// Notes when a message comes by and when its reply does.
fn noting(log: &Log, name: &'static str) -> impl AsyncFn2 {
    let log = log.clone();
    move |request: WsRequest<()>, next: Next<()>| {
        let log = log.clone();
        Box::pin(async move {
            log.add(format!("{name}>{}", request.message_type()));
            let reply = next.run(request).await;
            log.add(format!("<{name}"));
            reply
        }) as futures_util::future::BoxFuture<'static, _>
    }
}

/// A middleware function.
trait AsyncFn2:
    FnOnce(WsRequest<()>, Next<()>) -> futures_util::future::BoxFuture<'static, Result<WsReply, WsError>>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<F> AsyncFn2 for F where
    F: FnOnce(WsRequest<()>, Next<()>) -> futures_util::future::BoxFuture<'static, Result<WsReply, WsError>>
        + Clone
        + Send
        + Sync
        + 'static
{
}

#[tokio::test]
async fn the_layer_added_last_is_outermost_and_a_routes_layer_is_innermost() {
    let log = Log::default();
    let inner = log.clone();
    let handler = async move |_: Ping| {
        inner.add("handler");
        Pong {}
    };
    let ws = WsRouter::new()
        .on_with(handler, RouteOptions::new().layer(from_fn(noting(&log, "own1"))).layer(from_fn(noting(&log, "own2"))))
        .layer(from_fn(noting(&log, "first")))
        .layer(from_fn(noting(&log, "second")))
        // Added behind the layers: they are not around it.
        .on(add);
    let server = serve(ws);
    let mut client = server.connect("/ws").await;
    client.send("PING", json!({})).await;
    client.expect("PONG").await;
    let expected =
        ["second>PING", "first>PING", "own2>PING", "own1>PING", "handler", "<own1", "<own2", "<first", "<second"];
    assert_eq!(log.take(), expected);
    assert_eq!(client.request("ADD", "1", json!({ "a": 1, "b": 2 })).await["payload"]["result"], 3);
    assert_eq!(log.take(), [""; 0]);
}

#[tokio::test]
async fn merged_and_nested_routers_keep_their_layers() {
    let log = Log::default();
    let chat = WsRouter::new().on(ping).layer(from_fn(noting(&log, "chat")));
    let math = WsRouter::new().on(add).layer(from_fn(noting(&log, "math")));
    let server = serve(WsRouter::new().nest("chat.", chat).merge(math).layer(from_fn(noting(&log, "all"))));
    let mut client = server.connect("/ws").await;
    client.send("chat.PING", json!({})).await;
    client.expect("PONG").await;
    assert_eq!(log.take(), ["all>chat.PING", "chat>chat.PING", "<chat", "<all"]);
    client.request("ADD", "1", json!({ "a": 1, "b": 2 })).await;
    assert_eq!(log.take(), ["all>ADD", "math>ADD", "<math", "<all"]);
    // Without its prefix nobody takes it.
    client.send("PING", json!({})).await;
    client.expect_error("ERROR", "UNIMPLEMENTED").await;
}

#[tokio::test]
async fn a_layer_knows_messages_wherever_its_router_is_nested() {
    /// Another message of the same name, of another module.
    #[switchboard::ws_message("PING")]
    struct OtherPing {}

    let log = Log::default();
    let noting = |name: &'static str| {
        let log = log.clone();
        from_fn(async move |request: WsRequest<()>, next: Next<()>| {
            let (wire, declared) = (request.message_type(), request.declared_type());
            let is = [request.is::<Ping>(), request.is::<OtherPing>(), request.is::<Add>()];
            log.add(format!("{name} {wire} {declared} {is:?}"));
            next.run(request).await
        })
    };
    let chat = WsRouter::new().on(ping).layer(noting("chat"));
    let game = WsRouter::new().on(async |_: OtherPing| {}).on(add);
    let ws = WsRouter::new().nest("b.", chat).nest("c.", game).layer(noting("all"));
    let server = serve(WsRouter::new().nest("a.", ws));
    let mut client = server.connect("/ws").await;
    client.send("a.b.PING", json!({})).await;
    client.expect("PONG").await;
    client.send("a.c.PING", json!({})).await;
    client.request("a.c.ADD", "1", json!({ "a": 1, "b": 2 })).await;
    let expected = [
        "all a.b.PING PING [true, false, false]",
        "chat a.b.PING PING [true, false, false]",
        "all a.c.PING PING [false, true, false]",
        "all a.c.ADD ADD [false, false, true]",
    ];
    assert_eq!(log.take(), expected);
}

#[tokio::test]
async fn a_layer_stops_a_message_before_it_is_decoded() {
    let refuse = from_fn(async |request: WsRequest<()>, next: Next<()>| {
        if request.payload().is_some_and(|json| json.contains('7')) {
            return Err(WsError::permission_denied("no sevens"));
        }
        next.run(request).await
    });
    let server = serve(WsRouter::new().on(add).layer(refuse));
    let mut client = server.connect("/ws").await;
    let refused = client.request("ADD", "1", json!({ "a": 7, "b": "x" })).await;
    assert_eq!((&refused["type"], &refused["meta"]["correlationId"]), (&json!("RPC_ERROR"), &json!("1")));
    assert_eq!(refused["payload"]["code"], "PERMISSION_DENIED");
    assert_eq!(client.request("ADD", "2", json!({ "a": 1, "b": "x" })).await["payload"]["code"], "INVALID_ARGUMENT");
    assert_eq!(client.request("ADD", "3", json!({ "a": 1, "b": 2 })).await["payload"]["result"], 3);
}

#[tokio::test]
async fn a_layer_sees_results_and_may_replace_them() {
    let log = Log::default();
    let seen = log.clone();
    let ws = WsRouter::new().on(add).on(ping).layer(from_fn(async move |request: WsRequest<()>, next: Next<()>| {
        if request.is_rpc() && request.correlation_id() == Some("cached") {
            return request.reply(&Sum { result: 42 });
        }
        let reply = next.run(request).await;
        seen.add(match &reply {
            Ok(reply) if reply.is_none() => "nothing".to_owned(),
            Ok(_) => "reply".to_owned(),
            Err(error) => error.code().to_string(),
        });
        reply.map_err(|_| WsError::not_found("hidden"))
    }));
    let server = serve(ws);
    let mut client = server.connect("/ws").await;
    assert_eq!(client.request("ADD", "cached", json!({ "a": 1, "b": 2 })).await["payload"]["result"], 42);
    assert_eq!(client.request("ADD", "1", json!({ "a": 1, "b": 2 })).await["payload"]["result"], 3);
    assert_eq!(client.request("ADD", "2", json!({})).await["payload"]["code"], "NOT_FOUND");
    assert_eq!(log.take(), ["reply", "INVALID_ARGUMENT"]);
}

#[tokio::test]
async fn extensions_that_a_layer_inserts_reach_the_handler() {
    #[derive(Clone)]
    struct Tenant(i32);
    async fn tenant(Extension(tenant): Extension<Tenant>, _: Add) -> Sum {
        Sum { result: tenant.0 }
    }
    let ws = WsRouter::new().on(tenant).layer(from_fn(async |mut request: WsRequest<()>, next: Next<()>| {
        if request.correlation_id() != Some("none") {
            request.extensions_mut().insert(Tenant(5));
        }
        next.run(request).await
    }));
    let (send, mut sources) = unbounded_channel();
    let server = serve(ws.on_error(async move |failure: Failure| _ = send.send(source(&failure))));
    let mut client = server.connect("/ws").await;
    assert_eq!(client.request("ADD", "1", json!({ "a": 1, "b": 2 })).await["payload"]["result"], 5);
    assert_eq!(client.request("ADD", "none", json!({ "a": 1, "b": 2 })).await["payload"]["code"], "INTERNAL");
    let source = sources.recv().await.unwrap();
    assert!(source.starts_with("there is no `Extension<") && source.contains("Tenant"), "{source}");
}

#[tokio::test]
async fn a_panic_in_a_layer_is_an_error_of_the_message() {
    let ws = WsRouter::new().on(add).layer(from_fn(async |request: WsRequest<()>, next: Next<()>| {
        assert!(request.correlation_id() != Some("panic"), "as asked");
        next.run(request).await
    }));
    let server = serve(ws);
    let mut client = server.connect("/ws").await;
    assert_eq!(client.request("ADD", "panic", json!({ "a": 1, "b": 2 })).await["payload"]["code"], "INTERNAL");
    assert_eq!(client.request("ADD", "1", json!({ "a": 1, "b": 2 })).await["payload"]["result"], 3);
}

#[tokio::test]
async fn a_message_that_comes_a_second_time_passes_its_layers_again() {
    let log = Log::default();
    let handled = log.clone();
    let ws = WsRouter::new()
        .on(async move |add: Add| {
            handled.add("handled");
            Sum { result: add.a + add.b }
        })
        .layer(from_fn(noting(&log, "layer")));
    let server = serve(ws);
    let mut client = server.connect("/ws").await;
    for id in ["1", "2"] {
        let request = json!({
            "type": "ADD", "meta": { "correlationId": id, "idempotencyKey": "k" }, "payload": { "a": 1, "b": 2 },
        });
        client.text(request.to_string()).await;
        let reply = client.recv().await;
        assert_eq!((&reply["meta"]["correlationId"], &reply["payload"]["result"]), (&json!(id), &json!(3)));
    }
    assert_eq!(log.take(), ["layer>ADD", "handled", "<layer", "layer>ADD", "<layer"]);
}
