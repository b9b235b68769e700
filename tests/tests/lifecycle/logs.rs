//! What is logged, and what never is.

use std::{
    io,
    sync::{Arc, Mutex},
};

use axum::{Router, extract::Request, middleware::Next};
use serde_json::json;
use switchboard::{
    BearerToken, Conn, Hub, Identity, RefreshToken, RouteOptions, TokenSources, WsError, WsRouter, ws_message, ws_rpc,
};
use switchboard_tests::{client::Server, serve::ws_route};
use tracing::{Instrument as _, subscriber::DefaultGuard};
use tracing_subscriber::fmt::{MakeWriter, format::FmtSpan};

const SECRET: &str = "s3cr3t-t0k3n";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Everything that this thread logs from now on.
    fn start() -> (Self, DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_span_events(FmtSpan::CLOSE)
            .with_writer(log.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[ws_message("AUTH")]
struct Auth {
    token: String,
}

#[ws_message("BOOM")]
struct Boom {}

async fn auth(conn: Conn, auth: Auth) -> Result<(), WsError> {
    conn.identify(Identity::new("ann"))?;
    Err(WsError::unauthenticated("Invalid token").with_detail("token", auth.token))
}

async fn boom(_: Boom) -> Result<(), WsError> {
    Err(WsError::internal("the database is on fire"))
}

fn app() -> Router {
    let authenticate = async |token: BearerToken| {
        tracing::debug!(?token, "authenticating");
        Ok::<_, axum::http::StatusCode>(())
    };
    let refresh = async |token: RefreshToken| {
        tracing::debug!(?token, "refreshing");
        Err::<(), _>(WsError::unauthenticated("Invalid token"))
    };
    let ws = WsRouter::new()
        .tokens(TokenSources::new().cookie("auth"))
        .authenticate(authenticate)
        .on_refresh(refresh)
        .on(auth)
        .on(boom);
    Router::new().route("/ws", ws_route(ws))
}

#[tokio::test]
async fn tokens_are_never_logged() {
    let (log, _guard) = Log::start();
    let server = Server::start(app());
    let (query, header, cookie) =
        (format!("/ws?access_token={SECRET}"), format!("Bearer {SECRET}"), format!("auth={SECRET}"));
    let protocol = format!("bearer.{SECRET}");
    let extended = format!("switchboard.v1.json, bearer.{SECRET}");
    for (path, headers) in [
        (query.as_str(), vec![]),
        ("/ws", vec![("authorization", header.as_str())]),
        ("/ws", vec![("cookie", cookie.as_str())]),
        ("/ws", vec![("sec-websocket-protocol", protocol.as_str())]),
        ("/ws", vec![("sec-websocket-protocol", extended.as_str())]),
    ] {
        let mut client = server.upgrade(path, &headers).await.unwrap();
        if client.headers.get("sec-websocket-protocol").is_some_and(|chosen| chosen == "switchboard.v1.json") {
            client.expect("$ws:hello").await;
            client.send_request("$ws:refresh", "r", json!({ "token": SECRET })).await;
            assert_eq!(client.recv().await["payload"]["code"], "UNAUTHENTICATED");
        }
        client.send("AUTH", json!({ "token": SECRET })).await;
        let error = client.expect_error("ERROR", "UNAUTHENTICATED").await;
        assert!(!error.to_string().contains(SECRET));
        assert_eq!(client.close(1000).await, 1000);
    }
    let text = log.text();
    assert!(text.contains("authenticating") && text.contains("refreshing") && text.contains("disconnected"), "{text}");
    assert!(!text.contains(SECRET), "{text}");
}

#[tokio::test]
async fn a_refused_origin_is_logged() {
    let (log, _guard) = Log::start();
    let server = Server::start(app());
    let headers = [("origin", "https://evil.example"), ("authorization", "Bearer x")];
    assert_eq!(server.upgrade("/ws", &headers).await.unwrap_err().status, 403);
    let (text, host) = (log.text(), server.addr.to_string());
    let told = text.lines().filter(|line| line.contains("https://evil.example")).collect::<Vec<_>>();
    let [line] = told[..] else { panic!("one line: {text}") };
    assert!(line.contains("WARN") && line.contains(&host) && line.contains("public_origin"), "{line}");
}

#[tokio::test]
async fn a_missing_extension_is_logged_with_the_handler_and_what_to_add() {
    async fn needy(axum::Extension(_): axum::Extension<u32>, _: Boom) {}
    let (log, _guard) = Log::start();
    let server = Server::start(Router::new().route("/ws", ws_route(WsRouter::new().on(needy))));
    assert_eq!(server.upgrade("/ws", &[]).await.unwrap_err().status, 500);
    let text = log.text();
    let line = text.lines().find(|line| line.contains("Extension<u32>")).unwrap();
    assert!(line.contains("ERROR") && line.contains("needy") && line.contains(".layer(Extension(..))"), "{line}");
}

#[tokio::test]
async fn a_reauthorization_that_does_not_decide_is_logged() {
    let (log, _guard) = Log::start();
    let hub = Hub::new();
    let ws = WsRouter::new()
        .hub(hub.clone())
        .on(async |_: Boom| {})
        .on_reauthorize(async || Err::<(), _>(WsError::unavailable("the directory is away")));
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let mut client = server.connect("/ws").await;
    let id = client.headers["x-client-id"].to_str().unwrap().parse().unwrap();
    assert!(hub.connection(id).reauthorize().await);
    // Answered after the hook has run.
    client.text(r#"{"type":"__heartbeat"}"#).await;
    assert_eq!(client.recv().await["type"], "__heartbeat_ack");
    let text = log.text();
    let line = text.lines().find(|line| line.contains("the directory is away")).unwrap();
    assert!(line.contains("WARN") && line.contains("UNAVAILABLE") && line.contains("on_reauthorize"), "{line}");
}

#[tokio::test]
async fn an_on_open_hook_that_fails_is_logged() {
    let (log, _guard) = Log::start();
    let ws = WsRouter::<()>::new().on_open(async |conn: Conn| conn.subscribe("a b").await.map(drop));
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    assert_eq!(server.connect("/ws").await.expect_close().await.0, 1011);
    let text = log.text();
    let line = text.lines().find(|line| line.contains("`on_open` failed")).unwrap();
    assert!(line.contains("WARN") && line.contains("INVALID_ARGUMENT"), "{line}");
}

#[tokio::test]
async fn a_layer_that_wraps_nothing_is_logged() {
    let (log, _guard) = Log::start();
    let ws = WsRouter::<()>::new().layer(switchboard::TraceLayer::new()).on(async |_: Boom| {});
    let text = log.text();
    let line = text.lines().find(|line| line.contains("`layer` wraps no handler")).unwrap();
    assert!(line.contains("WARN") && line.contains("logs.rs"), "{line}");
    drop(ws);
}

#[tokio::test]
async fn spans_carry_the_connection_the_type_and_the_outcome() {
    let (log, _guard) = Log::start();
    let server = Server::start(app());
    let mut client = server.upgrade("/ws", &[("authorization", "Bearer x")]).await.unwrap();
    let id = client.headers["x-client-id"].to_str().unwrap().to_owned();
    client.send("BOOM", json!({})).await;
    let error = client.expect_error("ERROR", "INTERNAL").await;
    assert!(!error.to_string().contains("fire"));
    let text = log.text();
    let line = text.lines().find(|line| line.contains("the database is on fire")).unwrap();
    assert!(line.contains("ERROR") && line.contains(&format!("ws_connection{{conn={id}}}")), "{line}");
    let close = text.lines().find(|line| line.contains("ws_message{type=\"BOOM\"")).unwrap();
    assert!(close.contains(&id) && close.contains("outcome=\"INTERNAL\""), "{close}");
}

#[tokio::test]
async fn errors_are_logged_at_a_limited_rate() {
    let (log, _guard) = Log::start();
    let server = Server::start(app());
    let mut client = server.upgrade("/ws", &[("authorization", "Bearer x")]).await.unwrap();
    for _ in 0..1000 {
        client.send("BOOM", json!({})).await;
        client.expect_error("ERROR", "INTERNAL").await;
    }
    let lines = log.text().lines().filter(|line| line.contains("the database is on fire")).count();
    assert!((1..=400).contains(&lines), "{lines} of 1000");
}

#[tokio::test]
async fn an_undeclared_message_type_is_warned_of_once() {
    let (log, _guard) = Log::start();
    let send = async |conn: Conn, _: Boom| {
        for _ in 0..3 {
            conn.send(Auth { token: "x".into() })?;
            conn.send(Boom {})?;
        }
        Ok::<_, WsError>(())
    };
    let ws = WsRouter::<()>::new().on(send).emits::<Boom>();
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let mut client = server.connect("/ws").await;
    client.send("BOOM", json!({})).await;
    for _ in 0..3 {
        client.expect("AUTH").await;
        client.expect("BOOM").await;
    }
    let warnings: Vec<_> = log.text().lines().filter(|line| line.contains("not declared")).map(str::to_owned).collect();
    assert!(matches!(&warnings[..], [line] if line.contains("AUTH is sent")), "{warnings:?}");
}

#[tokio::test]
async fn a_connection_belongs_to_the_request_that_began_it() {
    let (log, _guard) = Log::start();
    let traced =
        async |request: Request, next: Next| next.run(request).instrument(tracing::info_span!("http", n = 7)).await;
    let server = Server::start(app().layer(axum::middleware::from_fn(traced)));
    let mut client = server.upgrade("/ws", &[("authorization", "Bearer x")]).await.unwrap();
    let id = client.headers["x-client-id"].to_str().unwrap().to_owned();
    client.send("BOOM", json!({})).await;
    client.expect_error("ERROR", "INTERNAL").await;
    let text = log.text();
    let line = text.lines().find(|line| line.contains("the database is on fire")).unwrap();
    assert!(line.contains(&format!("http{{n=7}}:ws_connection{{conn={id}}}")), "{line}");
}

#[ws_rpc("HANG", response = Boom)]
struct Hang {}

async fn hang(_: Hang) -> Boom {
    std::future::pending().await
}

#[tokio::test]
async fn abandoned_requests_have_an_outcome_in_the_log() {
    let (log, _guard) = Log::start();
    for (aborted, options) in [
        (true, RouteOptions::new()),
        (true, RouteOptions::new().concurrent(2)),
        (false, RouteOptions::new()),
        (false, RouteOptions::new().concurrent(2)),
    ] {
        let ws = WsRouter::<()>::new().on_with(hang, options);
        let server = Server::start(Router::new().route("/ws", ws_route(ws)));
        let mut client = server.connect("/ws").await;
        client.send_request("HANG", "h", json!({})).await;
        super::heartbeat::round_trip(&mut client).await;
        log.0.lock().unwrap().clear();
        if aborted {
            client.text(r#"{"type":"$ws:abort","meta":{"correlationId":"h"}}"#).await;
            assert_eq!(client.recv().await["payload"]["code"], "CANCELLED");
        }
        drop(client);
        let told = async {
            while !log.text().lines().any(|line| line.contains("HANG") && line.contains("outcome=\"CANCELLED\"")) {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        let told = tokio::time::timeout(switchboard_tests::client::PATIENCE, told).await;
        assert!(told.is_ok(), "{aborted}: {}", log.text());
    }
}

#[ws_rpc("ASK", response = Boom)]
struct AskClient {}

#[ws_message("START")]
struct Start {
    how: String,
}

/// What the client answers is passed on in all the ways that an application has.
async fn start(conn: Conn, start: Start) -> Result<(), WsError> {
    let Err(error) = conn.call(AskClient {}).await else { return Ok(()) };
    match start.how.as_str() {
        "directly" => Err(error.into()),
        "boxed" => {
            let error: Box<dyn std::error::Error + Send + Sync> = error.into();
            Err(error.into())
        }
        "as a source" => Err(WsError::internal(error)),
        _ => {
            let source = std::error::Error::source(&error).unwrap().to_string();
            Err(WsError::internal(source))
        }
    }
}

#[tokio::test]
async fn attack_b15_text_from_clients_begins_no_line_of_the_log() {
    let (log, _guard) = Log::start();
    let server = Server::start(Router::new().route("/ws", ws_route(WsRouter::<()>::new().on(start))));
    let mut client = server.connect("/ws").await;
    let fake = "x\n2026-01-01T00:00:00Z ERROR FAKE LINE\u{1b}[31m";
    for (how, code, ours) in [
        ("directly", "INTERNAL", false),
        ("boxed", "INTERNAL", false),
        ("directly", "NOT_FOUND", false),
        ("boxed", "OWN\nFAKE LINE", false),
        ("as a source", "INTERNAL", true),
        ("as text", "NOT_FOUND", true),
    ] {
        log.0.lock().unwrap().clear();
        client.send("START", json!({ "how": how })).await;
        let id = client.recv().await["meta"]["correlationId"].clone();
        let payload = json!({ "code": code, "message": fake });
        client
            .text(json!({ "type": "RPC_ERROR", "meta": { "correlationId": id }, "payload": payload }).to_string())
            .await;
        let told = client.expect("ERROR").await;
        assert_eq!(told["code"] == "INTERNAL", ours, "{how} {code}: {told}");
        let text = log.text();
        assert!(!text.lines().any(|line| line.starts_with("2026-01-01") || line.starts_with("FAKE")), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        assert_eq!(text.lines().any(|line| line.split_whitespace().nth(1) == Some("ERROR")), ours, "{text}");
    }
    log.0.lock().unwrap().clear();
    // Types, ids and reasons.
    client.text(json!({ "type": "A\nFAKE LINE", "meta": { "correlationId": "i\nFAKE LINE" } }).to_string()).await;
    client.recv().await;
    let reason = [&4000_u16.to_be_bytes()[..], b"r\nFAKE LINE"].concat();
    client.raw(&switchboard_tests::client::masked(0x88, &reason)).await;
    client.skip_to_close().await;
    let closed = async {
        while !log.text().contains("disconnected") {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(switchboard_tests::client::PATIENCE, closed).await.unwrap();
    let text = log.text();
    assert!(text.contains(r"r\nFAKE LINE") && !text.lines().any(|line| line.starts_with("FAKE")), "{text}");
}
