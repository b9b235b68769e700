//! Section 8 of the protocol: the default times that are too long to wait for, over sockets on both transports. Those
//! that are short, and all that is no time, stand in the package `switchboard-tests`.
//!
//! The clock is stopped once all that happens on sockets has happened, and each time is taken where it passes: so
//! nothing depends on how fast a socket is while the clock jumps.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, http::StatusCode, routing::MethodRouter};
use futures_util::SinkExt as _;
use switchboard::{CloseReason, Config, Conn, TransportKind, WsRouter, ws_message, ws_route, ws_rpc};
use tokio::{net::TcpListener, sync::mpsc, time::Instant};
use tokio_tungstenite::{connect_async, tungstenite::Message};

const TRANSPORTS: [TransportKind; 2] = [TransportKind::Native, TransportKind::Axum];

/// Tells when something begins, and how long it has lasted when it ends.
#[derive(Clone)]
struct Clock(mpsc::UnboundedSender<Option<Duration>>);

impl Clock {
    fn begin(&self) -> Lasting {
        self.0.send(None).unwrap();
        Lasting(self.clone(), Instant::now())
    }
}

struct Lasting(Clock, Instant);

impl Drop for Lasting {
    fn drop(&mut self) {
        // Nobody may be there when the runtime ends.
        _ = self.0.0.send(Some(self.1.elapsed()));
    }
}

/// How long that lasts for which the clock is given: to a client that sends this, and neither reads nor goes.
async fn lasting(route: impl FnOnce(Clock) -> MethodRouter, text: &'static str) -> Duration {
    let (told, mut events) = mpsc::unbounded_channel();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let app = Router::new().route("/ws", route(Clock(told)));
    let server = tokio::spawn(axum::serve(listener, app).into_future());
    let client = tokio::spawn(async move {
        let (mut client, _) = connect_async(format!("ws://{addr}/ws")).await.unwrap();
        if !text.is_empty() {
            client.send(Message::text(text)).await.unwrap();
        }
        std::future::pending::<()>().await;
    });
    let begun = tokio::time::timeout(Duration::from_secs(10), events.recv()).await.unwrap();
    assert_eq!(begun, Some(None));
    tokio::time::pause();
    let ended = events.recv().await.unwrap();
    tokio::time::resume();
    client.abort();
    server.abort();
    ended.unwrap()
}

#[track_caller]
fn assert_lasts(lasted: Duration, seconds: u64) {
    let expected = Duration::from_secs(seconds);
    assert!((expected..expected + Duration::from_secs(2)).contains(&lasted), "{lasted:?} is not {expected:?}");
}

#[ws_message("DONE")]
struct Done {}

#[ws_rpc("HANG", response = Done)]
struct Hang {}

#[ws_message("HANG_EVENT")]
struct HangEvent {}

fn hanging(transport: TransportKind, clock: Clock) -> MethodRouter {
    let events = clock.clone();
    let hang = async move |_: Hang| {
        let _lasting = clock.begin();
        std::future::pending::<Done>().await
    };
    let hang_event = async move |_: HangEvent| {
        let _lasting = events.begin();
        std::future::pending::<()>().await;
    };
    // A client that does not read is no other matter here.
    let config = Config::new().ping_interval(None);
    ws_route(WsRouter::<()>::new().config(config).transport(transport).on(hang).on(hang_event))
}

#[tokio::test]
async fn handlers_end_after_30_seconds() {
    for transport in TRANSPORTS {
        for text in
            [r#"{"type":"HANG","meta":{"correlationId":"c"},"payload":{}}"#, r#"{"type":"HANG_EVENT","payload":{}}"#]
        {
            assert_lasts(lasting(|clock| hanging(transport, clock), text).await, 30);
        }
    }
}

#[tokio::test]
async fn a_clients_timeout_is_at_most_five_minutes() {
    for transport in TRANSPORTS {
        let text = r#"{"type":"HANG","meta":{"correlationId":"c","timeoutMs":1e12},"payload":{}}"#;
        assert_lasts(lasting(|clock| hanging(transport, clock), text).await, 5 * 60);
    }
}

#[tokio::test]
async fn calls_to_a_client_end_after_10_seconds() {
    for transport in TRANSPORTS {
        let route = |clock: Clock| {
            let call = async move |conn: Conn, _: HangEvent| {
                let _lasting = clock.begin();
                conn.call(Hang {}).await.map(|_| ())
            };
            ws_route(WsRouter::<()>::new().transport(transport).on(call))
        };
        assert_lasts(lasting(route, r#"{"type":"HANG_EVENT","payload":{}}"#).await, 10);
    }
}

/// How long a connection lasts whose client answers no ping.
async fn unanswered(transport: TransportKind, config: Config) -> Duration {
    let route = |clock: Clock| {
        let kept: Arc<Mutex<Option<Lasting>>> = Arc::default();
        let open = {
            let kept = Arc::clone(&kept);
            async move || *kept.lock().unwrap() = Some(clock.begin())
        };
        let close = async move |reason: CloseReason| {
            // Of another end nothing is told, so that the test waits for this one in vain.
            if reason.reason() == "Heartbeat timeout" {
                kept.lock().unwrap().take();
            }
        };
        ws_route(WsRouter::<()>::new().config(config).transport(transport).on_open(open).on_close(close))
    };
    lasting(route, "").await
}

#[tokio::test]
async fn pings_are_sent_every_25_seconds_and_answered_within_10() {
    for transport in TRANSPORTS {
        assert_lasts(unanswered(transport, Config::new().pong_timeout(Duration::from_secs(20))).await, 25 + 20);
        assert_lasts(unanswered(transport, Config::new().ping_interval(Duration::from_secs(20))).await, 20 + 10);
    }
}

#[tokio::test]
async fn extractors_at_the_upgrade_end_after_10_seconds() {
    for transport in TRANSPORTS {
        let route = |clock: Clock| {
            let never = async move || {
                let _lasting = clock.begin();
                std::future::pending::<Result<(), StatusCode>>().await
            };
            ws_route(WsRouter::<()>::new().transport(transport).authenticate(never))
        };
        assert_lasts(lasting(route, "").await, 10);
    }
}

#[tokio::test]
async fn open_and_close_hooks_end_after_10_seconds() {
    for transport in TRANSPORTS {
        let opening = |clock: Clock| {
            let open = async move || {
                let _lasting = clock.begin();
                std::future::pending::<()>().await;
            };
            ws_route(WsRouter::<()>::new().transport(transport).on_open(open))
        };
        assert_lasts(lasting(opening, "").await, 10);
        let closing = |clock: Clock| {
            let close = async move || {
                let _lasting = clock.begin();
                std::future::pending::<()>().await;
            };
            let leave = async |conn: Conn, _: HangEvent| conn.close(4000, "");
            ws_route(WsRouter::<()>::new().transport(transport).on(leave).on_close(close))
        };
        assert_lasts(lasting(closing, r#"{"type":"HANG_EVENT","payload":{}}"#).await, 10);
    }
}
