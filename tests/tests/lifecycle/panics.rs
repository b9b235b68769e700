//! Panics where no handler's own guard reaches: in destructors, in what errors say, in what is sent.

use std::{
    error::Error,
    fmt,
    panic::panic_any,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode};
use serde::Serializer;
use serde_json::json;
use switchboard::{CloseReason, Config, Conn, Failure, Hub, SendErrorKind, WsError, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{
    client::{PATIENCE, Server},
    serve::ws_route,
};
use tokio::time::timeout;

/// Panics when it is dropped, with what does the same.
struct Bomb(u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0 > 0 {
            panic_any(Self(self.0 - 1));
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Display,
    Source,
    Drop,
}

struct Bad(Kind);

impl fmt::Debug for Bad {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic_any(Bomb(1))
    }
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == Kind::Display { panic_any(Bomb(1)) } else { f.write_str("bad") }
    }
}

impl Error for Bad {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        if self.0 == Kind::Source { panic_any(Bomb(1)) } else { None }
    }
}

impl Drop for Bad {
    fn drop(&mut self) {
        if self.0 == Kind::Drop {
            panic_any(Bomb(1));
        }
    }
}

/// A reply that panics when it is written, or after.
#[ws_message("DONE")]
struct Done {
    #[serde(serialize_with = "write")]
    part: String,
}

impl Done {
    fn new(part: &str) -> Self {
        Self { part: part.to_owned() }
    }
}

fn write<S: Serializer>(part: &str, serializer: S) -> Result<S::Ok, S::Error> {
    if part == "write" { panic_any(Bomb(1)) } else { serializer.serialize_str("part") }
}

impl Drop for Done {
    fn drop(&mut self) {
        if self.part == "drop" {
            panic_any(Bomb(1));
        }
    }
}

#[ws_rpc("DO", response = Done)]
struct Do {
    what: String,
}

async fn handle(conn: Conn, Do { what }: Do) -> Result<Done, WsError> {
    match what.as_str() {
        "payload" => panic_any(Bomb(2)),
        "display" => Err(WsError::internal(Bad(Kind::Display))),
        "source" => Err(WsError::internal(Bad(Kind::Source))),
        "drop" => Err(WsError::internal(Bad(Kind::Drop))),
        "refused" => Err(WsError::not_found("x").with_source(Bad(Kind::Drop))),
        "later" => {
            tokio::task::yield_now().await;
            Err(WsError::internal(Bad(Kind::Drop)))
        }
        "reply" => Ok(Done::new("write")),
        "replied" => Ok(Done::new("drop")),
        "sent" => {
            conn.send(Done::new("write"))?;
            Ok(Done::new(""))
        }
        "held" => {
            let _bomb = Bomb(2);
            tokio::task::yield_now().await;
            Ok(Done::new(""))
        }
        _ => Ok(Done::new("")),
    }
}

const BAD: [&str; 10] =
    ["payload", "display", "source", "drop", "refused", "later", "reply", "replied", "sent", "held"];

#[derive(Clone, Default)]
struct Seen {
    opened: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
    failures: Arc<AtomicUsize>,
}

fn serve(seen: &Seen, hub: &Hub, hooks: bool) -> Server {
    let opened = async |State(seen): State<Seen>| _ = seen.opened.fetch_add(1, SeqCst);
    let closed = async |State(seen): State<Seen>, _: CloseReason| _ = seen.closed.fetch_add(1, SeqCst);
    let mut ws = WsRouter::new().hub(hub.clone()).on(handle).on_open(opened).on_close(closed);
    if hooks {
        ws = ws
            .on_error(async |State(seen): State<Seen>, _: Failure| -> Result<(), WsError> {
                seen.failures.fetch_add(1, SeqCst);
                panic_any(Bomb(2))
            })
            .on_error(async |_: Failure| {
                let _bomb = Bomb(1);
                std::future::pending::<()>().await;
            });
    }
    let config = Config::new().hook_timeout(Duration::from_millis(20));
    Server::start(Router::new().route("/ws", ws_route(ws.config(config))).with_state(seen.clone()))
}

/// Each request has its terminal, and the connection lives.
#[tokio::test]
async fn attack_b14_every_request_has_its_terminal_and_every_connection_its_end() {
    for hooks in [false, true] {
        let (seen, hub) = (Seen::default(), Hub::new());
        let server = serve(&seen, &hub, hooks);
        for (n, what) in BAD.into_iter().enumerate() {
            let failures = seen.failures.load(SeqCst);
            let mut client = server.connect("/ws").await;
            let answer = client.request("DO", what, json!({ "what": what })).await;
            assert_eq!(answer["meta"]["correlationId"], what, "{answer}");
            match what {
                "refused" => assert_eq!(answer["payload"]["code"], "NOT_FOUND"),
                _ => assert_eq!(answer["payload"]["code"], "INTERNAL", "{what}: {answer}"),
            }
            let answer = client.request("DO", "again", json!({ "what": "" })).await;
            assert_eq!(answer["payload"]["part"], "part", "{what}");
            // The last failure's hooks are at it when the connection ends.
            client.send_request("DO", "last", json!({ "what": what })).await;
            client.recv().await;
            assert_eq!(client.close(1000).await, 1000, "{what}");
            let ended = async {
                while seen.closed.load(SeqCst) <= n || hub.local_connections().next().is_some() {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            };
            timeout(PATIENCE, ended).await.unwrap_or_else(|_| panic!("{what}: no `on_close`"));
            assert_eq!((seen.opened.load(SeqCst), seen.closed.load(SeqCst)), (n + 1, n + 1), "{what}");
            assert_eq!(seen.failures.load(SeqCst) > failures, hooks, "{what}");
        }
    }
}

/// A subscriber of the application's logs that panics is what no guard knows of but the last.
#[tokio::test]
async fn the_last_guard_closes_with_1011_and_runs_the_hooks() {
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

    /// Panics once, when the span of a message begins.
    struct Once(Mutex<bool>);
    impl<S: tracing::Subscriber> Layer<S> for Once {
        fn on_new_span(&self, attributes: &tracing::span::Attributes<'_>, _: &tracing::span::Id, _: Context<'_, S>) {
            if attributes.metadata().name() == "ws_message" && std::mem::take(&mut *self.0.lock().unwrap()) {
                panic_any(Bomb(1));
            }
        }
    }
    let (seen, hub) = (Seen::default(), Hub::new());
    let server = serve(&seen, &hub, false);
    let subscriber = tracing_subscriber::registry().with(Once(Mutex::new(true)));
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut client = server.connect("/ws").await;
    let mut other = server.connect("/ws").await;
    client.send_request("DO", "1", json!({ "what": "" })).await;
    assert_eq!(client.skip_to_close().await, 1011);
    let ended = async {
        while seen.closed.load(SeqCst) < 1 || hub.local_connections().count() > 1 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, ended).await.unwrap();
    // Others are not concerned.
    assert_eq!(other.request("DO", "2", json!({ "what": "" })).await["payload"]["part"], "part");
    assert_eq!((seen.opened.load(SeqCst), seen.closed.load(SeqCst)), (2, 1));
}

#[ws_rpc("ASK", response = Done)]
struct Ask {}

/// Its runtime is shut down while it asks its client something: whoever waits for that learns it.
#[test]
fn a_call_ends_when_the_connections_task_is_dropped() {
    let runtime = |name: &str| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().thread_name(name).build().unwrap()
    };
    let (own, servers) = (runtime("own"), runtime("server"));
    let (send, mut conns) = tokio::sync::mpsc::unbounded_channel::<Conn>();
    let opened = async move |conn: Conn| _ = send.send(conn);
    let ws = WsRouter::<()>::new().on_open(opened);
    let server = servers.block_on(async { Server::start(Router::new().route("/ws", ws_route(ws))) });
    own.block_on(async {
        let mut client = server.connect("/ws").await;
        let conn = conns.recv().await.unwrap();
        let asked = tokio::spawn(async move { conn.call(Ask {}).timeout(Duration::from_secs(600)).await.map(|_| ()) });
        client.expect("ASK").await;
        servers.shutdown_background();
        let error = timeout(PATIENCE, asked).await.expect("an answer in time").unwrap().unwrap_err();
        assert_eq!(error.kind(), switchboard::CallErrorKind::Closed);
    });
}

#[ws_message("NOTE")]
struct Note {}

/// A middleware drops the response: there will be no socket, and what is sent must not seem to arrive.
#[tokio::test]
async fn attack_b16_an_upgrade_that_is_dropped_is_closed() {
    let hub = Hub::new();
    let found = Arc::new(Mutex::new(None));
    let (at, keep) = (hub.clone(), Arc::clone(&found));
    let drops = axum::middleware::from_fn(move |request: axum::extract::Request, next: axum::middleware::Next| {
        let (at, keep) = (at.clone(), Arc::clone(&keep));
        async move {
            drop(next.run(request).await);
            *keep.lock().unwrap() = at.local_connections().next();
            axum::http::StatusCode::IM_A_TEAPOT
        }
    });
    let ws = WsRouter::<()>::new().hub(hub.clone()).on(async |_: Note| {});
    let server = Server::start(Router::new().route("/ws", ws_route(ws)).layer(drops));
    assert_eq!(server.upgrade("/ws", &[]).await.unwrap_err().status, 418);
    let gone = async {
        while hub.local_connections().next().is_some() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, gone).await.unwrap();
    let conn = found.lock().unwrap().take().expect("a connection that is listed until its task notices");
    assert!(conn.is_closed());
    assert_eq!(conn.send(Note {}).unwrap_err().kind(), SendErrorKind::Closed);
}

#[tokio::test]
async fn authentication_that_panics_is_answered_whatever_its_payload_does() {
    let ws = WsRouter::<()>::new().authenticate(async || -> Result<(), StatusCode> { panic_any(Bomb(1)) });
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    for _ in 0..2 {
        let refusal = server.upgrade("/ws", &[]).await.err().unwrap();
        assert_eq!(refusal.status, 500);
    }
}
