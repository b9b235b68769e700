//! Extractors of middleware, and values that it gives to handlers.

use axum::{
    Extension, Router,
    extract::{Path, Query, State},
    http::Uri,
};
use serde_json::json;
use switchboard::{
    Conn, ConnParts, Failure, FromConnParts, FromUpgrade, Hub, RouteOptions, Setup, WsError, WsReply, WsRequest,
    WsRouter,
    middleware::{Next, from_fn, from_fn_with_state},
};
use switchboard_tests::{client::Server, serve::ws_route};
use tokio::sync::mpsc::unbounded_channel;
use tower::ServiceBuilder;

use crate::{Add, Log, Ping, Pong, Sum, add, ping, source};

/// The length of a request's query, as an extractor of an application's own.
struct Length(usize);

impl<S: Send + Sync + 'static, D: Send + Sync + 'static> FromConnParts<S, D> for Length {
    type Rejection = WsError;

    async fn from_conn_parts(parts: &ConnParts<D>, _: &S) -> Result<Self, WsError> {
        parts.extension::<Tenant>().map(|tenant| Self(tenant.0.len())).ok_or_else(|| WsError::not_found("no tenant"))
    }

    fn setup(setup: &mut Setup<S>) {
        setup.keep_extension::<Tenant>();
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Tenant(&'static str);

#[derive(serde::Deserialize, Clone)]
struct Page {
    page: u32,
}

type Reply = Result<WsReply, WsError>;

#[expect(clippy::too_many_arguments, reason = "all seven extractors, and the two of every middleware")]
async fn everything(
    conn: Conn,
    hub: Hub,
    Path(room): Path<String>,
    Query(page): Query<Page>,
    FromUpgrade(uri): FromUpgrade<Uri>,
    State(log): State<Log>,
    Extension(tenant): Extension<Tenant>,
    request: WsRequest<()>,
    next: Next<()>,
) -> Reply {
    let is_known = hub.connection(conn.id()).local().is_some();
    log.add(format!("{is_known} {room} {} {} {}", page.page, uri.path(), tenant.0));
    next.run(request).await
}

#[tokio::test]
async fn a_middleware_takes_seven_extractors() {
    let log = Log::default();
    let ws = WsRouter::new().on(add).layer(from_fn_with_state(log.clone(), everything));
    let server = Server::start(Router::new().route("/ws/{room}", ws_route(ws)).layer(Extension(Tenant("acme"))));
    let mut client = server.connect("/ws/lobby?page=7").await;
    assert_eq!(client.request("ADD", "1", json!({ "a": 1, "b": 2 })).await["payload"]["result"], 3);
    assert_eq!(log.take(), ["true lobby 7 /ws/lobby acme"]);
}

async fn room(Path(room): Path<String>, State(log): State<Log>, request: WsRequest<()>, next: Next<()>) -> Reply {
    log.add(room);
    next.run(request).await
}

#[tokio::test]
async fn extractors_work_in_layers_of_routes_in_a_service_builder_and_in_merged_routers() {
    let log = Log::default();
    let layer = || from_fn_with_state(log.clone(), room);
    let several = ServiceBuilder::new().layer(from_fn(through)).layer(layer());
    let own = WsRouter::new().on_with(ping, RouteOptions::new().layer(several));
    let merged = WsRouter::<String>::new().on(add).layer(layer()).with_state("another state".to_owned());
    let server = Server::start(Router::new().route("/ws/{room}", ws_route(own.merge(merged))));
    let mut client = server.connect("/ws/lobby").await;
    client.request("PING", "1", json!({})).await;
    client.request("ADD", "2", json!({ "a": 1, "b": 2 })).await;
    assert_eq!(log.take(), ["lobby", "lobby"]);
}

async fn through(request: WsRequest<()>, next: Next<()>) -> Reply {
    next.run(request).await
}

#[tokio::test]
async fn an_extractor_that_a_layer_needs_can_refuse_the_upgrade() {
    let ws = WsRouter::new().on(ping).layer(from_fn_with_state(Log::default(), everything));
    let server = Server::start(Router::new().route("/ws/{room}", ws_route(ws)).layer(Extension(Tenant("acme"))));
    assert_eq!(server.upgrade("/ws/lobby?page=none", &[]).await.unwrap_err().status, 400);
}

async fn length(Length(length): Length, mut request: WsRequest<()>, next: Next<()>) -> Reply {
    request.extensions_mut().insert(length);
    next.run(request).await
}

#[tokio::test]
async fn the_error_of_an_extractor_is_the_reply_and_values_reach_handlers() {
    async fn handler(Extension(length): Extension<usize>, _: Add) -> Sum {
        Sum { result: i32::try_from(length).unwrap() }
    }
    let ws = || WsRouter::new().on(handler).layer(from_fn(length));
    let app = Router::new().route("/with", ws_route(ws()).layer(Extension(Tenant("acme"))));
    let server = Server::start(app.route("/without", ws_route(ws())));
    let payload = json!({ "a": 1, "b": 2 });
    let mut client = server.connect("/with").await;
    assert_eq!(client.request("ADD", "1", payload.clone()).await["payload"]["result"], 4);
    let mut client = server.connect("/without").await;
    assert_eq!(client.request("ADD", "1", payload).await["payload"]["message"], "no tenant");
}

/// Replies with what the handler found.
async fn tenant_of(tenant: Option<Extension<Tenant>>, _: Add) -> Result<Sum, WsError> {
    Err(WsError::not_found(tenant.map_or("none", |Extension(tenant)| tenant.0)))
}

async fn inserting(mut request: WsRequest<()>, next: Next<()>) -> Reply {
    if request.payload().is_some_and(|payload| payload.contains("-1")) {
        request.extensions_mut().insert(Tenant("message"));
    }
    next.run(request).await
}

#[tokio::test]
async fn a_layers_extension_comes_before_that_of_the_upgrade() {
    let ws = || WsRouter::new().on(tenant_of).layer(from_fn(inserting));
    let app = Router::new().route("/with", ws_route(ws()).layer(Extension(Tenant("upgrade"))));
    let server = Server::start(app.route("/without", ws_route(ws())));
    for (path, a, found) in
        [("/with", -1, "message"), ("/with", 1, "upgrade"), ("/without", -1, "message"), ("/without", 1, "none")]
    {
        let mut client = server.connect(path).await;
        let reply = client.request("ADD", "1", json!({ "a": a, "b": 0 })).await;
        assert_eq!(reply["payload"]["message"], found, "{path} {a}");
    }
}

#[tokio::test]
async fn an_inner_layer_sees_the_extensions_of_an_outer_one_and_a_retry_keeps_them() {
    async fn inner(
        Extension(tenant): Extension<Tenant>,
        State(log): State<Log>,
        request: WsRequest<()>,
        next: Next<()>,
    ) -> Reply {
        log.add(tenant.0);
        next.clone().run(request.clone()).await.ok();
        next.run(request).await
    }
    let log = Log::default();
    let ws = WsRouter::new().on(tenant_of).layer(from_fn_with_state(log.clone(), inner)).layer(from_fn(inserting));
    let (send, mut sources) = unbounded_channel();
    let ws = ws.on_error(async move |failure: Failure| _ = send.send(source(&failure)));
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let mut client = server.connect("/ws").await;
    let reply = client.request("ADD", "1", json!({ "a": -1, "b": 0 })).await;
    assert_eq!((reply["payload"]["message"].as_str(), log.take()), (Some("message"), vec!["message".to_owned()]));
    let reply = client.request("ADD", "2", json!({ "a": 1, "b": 0 })).await;
    assert_eq!(reply["payload"]["code"], "INTERNAL");
    // What the first request got is an error, too.
    assert_eq!(sources.recv().await.unwrap(), "");
    assert!(sources.recv().await.unwrap().contains("Tenant"));
}

#[tokio::test]
async fn an_extension_that_only_the_upgrade_can_provide_is_missed_at_the_upgrade() {
    async fn handler(Extension(_): Extension<Tenant>, _: Ping) -> Pong {
        Pong {}
    }
    async fn opened(Extension(_): Extension<Tenant>) {}
    let (send, mut sources) = unbounded_channel();
    let failed = async move |failure: Failure| _ = send.send(source(&failure));
    let app = Router::new()
        .route("/handler", ws_route(WsRouter::new().on(handler)))
        .route("/hook", ws_route(WsRouter::new().on(ping).on_open(opened).layer(from_fn(inserting))))
        .route("/later", ws_route(WsRouter::new().layer(from_fn(inserting)).on(handler)))
        .route("/layered", ws_route(WsRouter::new().on(handler).layer(from_fn(inserting)).on_error(failed)));
    let server = Server::start(app);
    for path in ["/handler", "/hook", "/later"] {
        assert_eq!(server.upgrade(path, &[]).await.unwrap_err().status, 500, "{path}");
    }
    let mut client = server.connect("/layered").await;
    assert_eq!(client.request("PING", "1", json!({})).await["payload"]["code"], "INTERNAL");
    assert!(sources.recv().await.unwrap().contains("Tenant"));
}
