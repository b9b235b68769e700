//! What clients expect.

use serde_json::{Value, json};
use switchboard::{Conn, ErrorCode, RawText, WsRouter, test::TestApp};

use crate::app::{Add, Join, Joined, OldJoined, Place, Said, Say, Sum, Welcome, Whisper, apps};

#[tokio::test(start_paused = true)]
async fn messages_are_typed_and_read_leniently() {
    for app in apps() {
        let mut ann = app.connect().bearer("ann").await.unwrap();
        ann.skip_to::<Welcome>().await;
        ann.send(Join { room: "lobby".into() }).await;
        ann.expect::<OldJoined>().await;
        ann.send_with_meta(Whisper { text: "psst".into() }, Place { room: "attic".into() }).await;
        let (said, place) = ann.expect_with_meta::<Said>().await;
        assert_eq!((said.text.as_str(), place.room.as_str()), ("psst", "attic"));
        ann.expect_nothing().await;
    }
}

#[tokio::test(start_paused = true)]
async fn malformed_messages_can_be_sent_and_their_errors_expected() {
    for app in apps() {
        let mut ann = app.connect().bearer("ann").await.unwrap();
        ann.expect::<Welcome>().await;
        // Typed, but not valid.
        ann.send(Join { room: String::new() }).await;
        let error = ann.expect_error("INVALID_ARGUMENT").await;
        let details: Value = error.details().unwrap();
        assert_eq!(details["issues"][0]["path"], "room");
        ann.send_json(json!({ "type": "JOIN", "payload": { "roam": 1 } })).await;
        ann.expect_error(ErrorCode::InvalidArgument).await;
        ann.send_text("{").await;
        ann.expect_error("INVALID_ARGUMENT").await;
        ann.send_json(json!({ "type": "ADD", "payload": { "a": 1, "b": 2 }, "meta": { "correlationId": "mine" } }))
            .await;
        let sum: Value = ann.recv_json().await;
        assert_eq!((&sum["meta"]["correlationId"], &sum["payload"]["result"]), (&json!("mine"), &json!(3.0)));
        // A reply to what was no call of the kit's is a message like any other.
        ann.send_json(json!({ "type": "ADD", "payload": { "a": 1, "b": 2 }, "meta": { "correlationId": "mine" } }))
            .await;
        assert_eq!(ann.expect::<Sum>().await.result, 3.0);
    }
}

#[tokio::test(start_paused = true)]
async fn messages_that_come_during_a_call_are_kept_in_order() {
    for app in apps() {
        let mut ann = app.connect().bearer("ann").await.unwrap();
        ann.send(Join { room: "lobby".into() }).await;
        ann.send(Say { room: "lobby".into(), text: "a".into() }).await;
        let sum = ann.call(Add { a: 1.0, b: 1.0 }).await.unwrap();
        assert_eq!(sum.result, 2.0);
        ann.expect::<Welcome>().await;
        ann.expect::<Joined>().await;
        ann.expect::<Said>().await;
        ann.expect_nothing().await;
    }
}

#[tokio::test(start_paused = true)]
async fn routes_with_frames_of_their_own() {
    async fn echo(conn: Conn, text: RawText) {
        conn.send_text(text.as_str()).unwrap();
        conn.send_binary(text.as_str().as_bytes().to_vec()).unwrap();
    }
    let app = TestApp::new(WsRouter::new().on_text(echo));
    let mut ann = app.connect().await.unwrap();
    for text in ["hi", r#"{"type":"X"}"#] {
        ann.send_text(text).await;
        assert_eq!(ann.expect_text().await, text);
        assert_eq!(ann.expect_binary().await, text);
    }
}

#[tokio::test(start_paused = true)]
async fn frames_of_the_protocols_own_are_no_messages() {
    for app in apps() {
        let connect = app.connect().bearer("ann").subprotocol("switchboard.v1.json");
        let mut ann = connect.await.unwrap();
        ann.expect::<Welcome>().await;
        ann.send_json(json!({ "type": "__heartbeat" })).await;
        ann.expect_nothing().await;
        for expected in ["$ws:hello", "__heartbeat_ack"] {
            assert_eq!(ann.recv_json::<Value>().await["type"], expected);
        }
    }
}

#[tokio::test]
async fn the_clock_may_run_and_threads_may_be_many() {
    for app in apps() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let task = runtime.spawn(async move {
            let mut ann = app.connect().bearer("ann").await.unwrap();
            ann.expect::<Welcome>().await;
            for n in 0..100 {
                assert_eq!(ann.call(Add { a: f64::from(n), b: 1.0 }).await.unwrap().result, f64::from(n) + 1.0);
            }
            ann.send(Join { room: "lobby".into() }).await;
            app.expect_published::<Joined>("lobby").await;
            ann.expect::<Joined>().await;
            ann.expect_nothing().await;
        });
        task.await.unwrap();
        runtime.shutdown_background();
    }
}
