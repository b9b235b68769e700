//! The figures of the feature `metrics`, as `docs/metrics.md` lists them.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

use std::{collections::BTreeMap, time::Duration};

use axum::Router;
use futures_util::{SinkExt as _, StreamExt as _};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use switchboard::{Conn, WsError, WsRouter, middleware::MetricsLayer, ws_message, ws_route, ws_rpc};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

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

async fn connect(ws: WsRouter) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let app = Router::new().route("/ws", ws_route(ws));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    connect_async(url).await.unwrap().0
}

#[tokio::test]
async fn figures() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().unwrap();
    let mut client = connect(WsRouter::new().on(fine).on(broken)).await;
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
        tokio::time::sleep(Duration::from_millis(5)).await;
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
    for name in seen.keys() {
        assert_documented(name);
    }
}

/// A figure stands in the table.
fn assert_documented(name: &str) {
    let name = name.split(' ').next().unwrap();
    assert!(include_str!("../docs/metrics.md").contains(&format!("| `{name}` |")), "{name}");
}

#[ws_rpc("HANG", response = Fine)]
struct Hang {}

#[ws_rpc("PANIC", response = Fine)]
struct Panic {}

async fn hang(_: Hang) -> Fine {
    std::future::pending().await
}

#[expect(clippy::panic, reason = "what is tested")]
async fn panics(_: Panic) -> Fine {
    panic!("as planned")
}

/// The times of all messages so far, by type and outcome.
fn times(snapshotter: &Snapshotter, seen: &mut BTreeMap<String, Vec<f64>>) {
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        if key.key().name() != "switchboard_message_seconds" {
            continue;
        }
        let DebugValue::Histogram(times) = value else { panic!("not a histogram") };
        let labels: Vec<_> = key.key().labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        seen.entry(labels.join(" ")).or_default().extend(times.into_iter().map(|time| time.into_inner()));
    }
}

/// One thread, one recorder: the other test has one for the process.
#[tokio::test(flavor = "current_thread")]
async fn message_seconds_are_of_all_messages_however_they_end() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let ws = WsRouter::new().on(fine).on(broken).on(hang).on(panics).layer(MetricsLayer::new());
    let mut client = connect(WsRouter::new().nest("a.", ws)).await;
    for frame in [
        r#"{"type":"a.FINE","payload":{}}"#,
        r#"{"type":"a.FINE","payload":{"unknown":1}}"#,
        r#"{"type":"a.BROKEN","payload":{}}"#,
        r#"{"type":"a.PANIC","meta":{"correlationId":"1"},"payload":{}}"#,
        r#"{"type":"a.HANG","meta":{"correlationId":"2","timeoutMs":30},"payload":{}}"#,
        // No layer is around what is of no type.
        r#"{"type":"FINE","payload":{}}"#,
    ] {
        client.send(Message::text(frame)).await.unwrap();
        client.next().await.unwrap().unwrap();
    }
    client.send(Message::text(r#"{"type":"a.HANG","meta":{"correlationId":"3"},"payload":{}}"#)).await.unwrap();
    client.send(Message::text(r#"{"type":"$ws:abort","meta":{"correlationId":"3"}}"#)).await.unwrap();
    client.next().await.unwrap().unwrap();
    client.send(Message::text(r#"{"type":"a.HANG","meta":{"correlationId":"4"},"payload":{}}"#)).await.unwrap();
    client.close(None).await.unwrap();
    let mut seen = BTreeMap::new();
    let all = async {
        while seen.values().map(Vec::len).sum::<usize>() < 7 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            times(&snapshotter, &mut seen);
        }
    };
    tokio::time::timeout(Duration::from_secs(10), all).await.unwrap();
    let counts: BTreeMap<_, _> = seen.iter().map(|(labels, times)| (labels.as_str(), times.len())).collect();
    let expected = [
        ("type=a.BROKEN outcome=custom", 1),
        ("type=a.FINE outcome=INVALID_ARGUMENT", 1),
        ("type=a.FINE outcome=OK", 1),
        ("type=a.HANG outcome=dropped", 3),
        ("type=a.PANIC outcome=INTERNAL", 1),
    ];
    assert_eq!(counts, expected.into());
    // The first hung until its deadline.
    let longest = seen["type=a.HANG outcome=dropped"].iter().copied().fold(0.0, f64::max);
    assert!((0.03..10.0).contains(&longest), "{longest}");
    assert_documented("switchboard_message_seconds");
}

/// The runtime is shut down while it is open: nothing is left that could close it in order.
#[test]
fn a_connection_whose_task_is_dropped_is_counted_as_closed() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _client = runtime.block_on(async {
        let mut client = connect(WsRouter::new().on(fine)).await;
        client.send(Message::text(r#"{"type":"FINE","payload":{}}"#)).await.unwrap();
        client.next().await.unwrap().unwrap();
        client
    });
    drop(runtime);
    let mut seen = BTreeMap::new();
    counted(&snapshotter, &mut seen);
    assert_eq!(seen["switchboard_connections "], 0.0);
    assert_eq!(seen["switchboard_connections_closed_total code=1006"], 1.0);
}

/// The figures of a link, by name and labels.
#[cfg(feature = "cluster")]
#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn the_link_of_a_hub_is_recorded_until_it_ends() {
    use switchboard::{Hub, cluster::MemoryBus};

    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let bus = MemoryBus::new();
    let [one, two] = [bus.broker(), bus.broker()].map(|broker| Hub::builder().broker(broker).build());
    one.ready().await;
    two.ready().await;
    one.publish("t", Fine {}).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut seen = BTreeMap::new();
    counted(&snapshotter, &mut seen);
    let of = |seen: &BTreeMap<String, f64>, name: &str| seen[&format!("switchboard_cluster_{name}")];
    // Both hubs are in this process.
    assert_eq!((of(&seen, "healthy "), of(&seen, "nodes "), of(&seen, "channels ")), (2.0, 2.0, 4.0));
    assert!(of(&seen, "sent_total ") > 4.0 && of(&seen, "received_total ") > of(&seen, "sent_total "), "{seen:?}");
    assert_eq!((of(&seen, "gaps_total "), of(&seen, "skipped_total reason=malformed")), (0.0, 0.0));
    assert!(seen.len() > 17, "{seen:?}");
    for name in seen.keys() {
        assert_documented(name);
    }
    drop((one, two));
    tokio::time::sleep(Duration::from_secs(3)).await;
    counted(&snapshotter, &mut seen);
    assert_eq!((of(&seen, "healthy "), of(&seen, "nodes "), of(&seen, "channels ")), (0.0, 0.0, 0.0));
}
