//! Payloads and meta that were refused at too high a cost, or with the wrong words, once.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::server;
use switchboard_tests::client::Client;

/// How long a request takes at its best.
async fn shortest(client: &mut Client, frame: &str) -> Duration {
    let mut shortest = Duration::MAX;
    for _ in 0..10 {
        let start = Instant::now();
        client.text(frame).await;
        assert_eq!(client.recv().await["type"], "RPC_ERROR");
        shortest = shortest.min(start.elapsed());
    }
    shortest
}

#[tokio::test]
async fn attack_a1_a_refused_payload_costs_less_than_ten_times_an_accepted_one() {
    let server = server();
    let mut client = server.connect("/ws").await;
    let details = format!(r#"{{"{}":[{}1]}}"#, "k".repeat(20_000), "1,".repeat(21_900));
    let frame = |last: &str| {
        format!(
            r#"{{"type":"FAIL","meta":{{"correlationId":"c"}},"payload":{{"code":"NOT_FOUND","message":"x","details":{details}{last}}}}}"#
        )
    };
    let accepted = shortest(&mut client, &frame("")).await;
    let refused = shortest(&mut client, &frame(r#","x":1"#)).await;
    // It was more than a hundred times.
    assert!(refused < accepted * 10, "{refused:?} against {accepted:?}");
}

#[tokio::test]
async fn kind_f21_malformed_meta_is_answered_under_the_correlation_id() {
    let server = server();
    let mut client = server.connect("/ws").await;
    let add =
        |meta: &str| format!(r#"{{"type":"ADD","meta":{{"correlationId":"c",{meta}}},"payload":{{"a":1,"b":1}}}}"#);
    for ignored in [r#""timestamp":1e999"#, r#""timestamp":"x""#, r#""timeoutMs":1e4"#] {
        client.text(add(ignored)).await;
        assert_eq!(client.recv().await["type"], "SUM", "{ignored}");
    }
    for refused in [r#""timeoutMs":1e999"#, r#""idempotencyKey":"\ud800""#] {
        client.text(add(refused)).await;
        let reply = client.recv().await;
        assert_eq!((&reply["type"], &reply["meta"]["correlationId"]), (&json!("RPC_ERROR"), &json!("c")), "{refused}");
        assert_eq!(reply["payload"]["code"], "INVALID_ARGUMENT");
    }
}
