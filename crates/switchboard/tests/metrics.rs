//! The figures of the feature `metrics`, as `docs/metrics.md` lists them.

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

use std::collections::BTreeMap;

use axum::Router;
use futures_util::{SinkExt as _, StreamExt as _};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use switchboard::{Conn, WsError, WsRouter, ws_message, ws_route};
use tokio_tungstenite::{connect_async, tungstenite::Message};

#[ws_message("FINE")]
struct Fine {}

#[ws_message("BROKEN")]
struct Broken {}

async fn fine(conn: Conn, _: Fine) -> Result<Fine, WsError> {
    conn.publish("t", Fine {}).await?;
    Ok(Fine {})
}

async fn broken(_: Broken) -> Result<(), WsError> {
    Err(WsError::new("OUT_OF_CAKE", "sorry"))
}

/// What was counted so far, by name and labels.
fn counted(snapshotter: &Snapshotter, seen: &mut BTreeMap<String, f64>) {
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let labels: Vec<_> = key.key().labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{} {}", key.key().name(), labels.join(" "));
        match value {
            // Each snapshot has what was added since the last one, gauges included.
            DebugValue::Counter(count) => *seen.entry(name).or_default() += f64::from(u32::try_from(count).unwrap()),
            DebugValue::Gauge(value) => *seen.entry(name).or_default() += value.into_inner(),
            DebugValue::Histogram(_) => {}
        }
    }
}

#[tokio::test]
async fn figures() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().unwrap();
    let app = Router::new().route("/ws", ws_route(WsRouter::<()>::new().on(fine).on(broken)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let (mut client, _) = connect_async(url).await.unwrap();
    // Whatever clients call their messages, the types are few.
    for message_type in ["FINE", "FINE", "BROKEN", "A", "B", "C"] {
        client.send(Message::text(format!(r#"{{"type":"{message_type}","payload":{{}}}}"#))).await.unwrap();
        client.next().await.unwrap().unwrap();
    }
    let mut seen = BTreeMap::new();
    counted(&snapshotter, &mut seen);
    assert_eq!(seen["switchboard_connections "], 1.0);
    client.close(None).await.unwrap();
    while !seen.contains_key("switchboard_connections_closed_total code=1005") {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        counted(&snapshotter, &mut seen);
    }
    // A snapshot is not of one moment.
    counted(&snapshotter, &mut seen);
    let expected: BTreeMap<_, _> = [
        ("switchboard_connections ", 0.0),
        ("switchboard_connections_closed_total code=1005", 1.0),
        ("switchboard_connections_opened_total ", 1.0),
        ("switchboard_messages_total type=BROKEN outcome=custom", 1.0),
        ("switchboard_messages_total type=FINE outcome=OK", 2.0),
        ("switchboard_messages_total type=unknown outcome=UNIMPLEMENTED", 3.0),
        ("switchboard_published_total ", 2.0),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    assert_eq!(seen, expected);
    // All of them are in the table.
    let table = include_str!("../docs/metrics.md");
    for name in seen.keys().map(|name| name.split(' ').next().unwrap()) {
        assert!(table.contains(&format!("| `{name}` |")), "{name}");
    }
}
