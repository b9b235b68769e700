//! Section 1: requests whole, both ways, with progress and abort.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard_tests::client::{Client, Server};

use crate::{messages::frames::keys, server};

/// Waits until as many handlers run as expected, asked on another connection.
pub(crate) async fn wait_for_running(server: &Server, expected: &Value) {
    let mut other = server.connect("/ws").await;
    for _ in 0..600 {
        let seen = other.request("INSPECT", "i", json!({})).await["payload"].take();
        if seen["running"] == *expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("not {expected} handlers run");
}

pub(crate) async fn inspect(client: &mut Client) -> Value {
    client.request("INSPECT", "inspect", json!({})).await["payload"].take()
}

#[tokio::test]
async fn progress_comes_before_the_reply_with_both_keys() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.send_request("COUNT", "c1", json!({ "to": 100 })).await;
    for n in 1..=100 {
        let progress = client.recv().await;
        let expected = json!({
            "type": "$ws:rpc-progress",
            "meta": { "correlationId": "c1" },
            "data": { "n": n },
            "payload": { "n": n },
        });
        assert_eq!(progress, expected);
    }
    let reply = client.recv().await;
    assert_eq!((&reply["type"], &reply["meta"]["correlationId"]), (&json!("COUNTED"), &json!("c1")));
    assert_eq!(reply["payload"], json!({ "total": 100 }));
}

#[tokio::test]
async fn abort_drops_the_handler_and_says_cancelled() {
    let server = server();
    let mut client = server.connect("/ws").await;
    let before = inspect(&mut client).await["dropped"].as_u64().unwrap();
    client.send_request("SLEEP", "a", json!({ "ms": 60_000 })).await;
    client.send_request("SLEEP", "b", json!({ "ms": 60_000 })).await;
    wait_for_running(&server, &json!(1)).await;
    for id in ["b", "a", "nobody", "a"] {
        client.text(json!({ "type": "$ws:abort", "meta": { "correlationId": id } }).to_string()).await;
    }
    for id in ["b", "a"] {
        let error = client.recv().await;
        assert_eq!((&error["type"], &error["meta"]["correlationId"]), (&json!("RPC_ERROR"), &json!(id)));
        assert_eq!(error["payload"]["code"], "CANCELLED");
    }
    let seen = inspect(&mut client).await;
    assert_eq!((&seen["running"], seen["dropped"].as_u64()), (&json!(0), Some(before + 1)));
}

#[tokio::test]
async fn an_abort_without_an_id_is_refused() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for meta in ["", r#","meta":{}"#, r#","meta":{"correlationId":5}"#, r#","meta":{"correlationId":""}"#] {
        client.text(format!(r#"{{"type":"$ws:abort"{meta}}}"#)).await;
        let error = client.recv().await;
        assert_eq!((&error["type"], error["meta"].get("correlationId")), (&json!("ERROR"), None), "{meta}");
        assert_eq!(error["payload"]["code"], "INVALID_ARGUMENT", "{meta}");
    }
    client.assert_alive().await;
}

#[tokio::test]
async fn connection_lost_drops_all_its_handlers() {
    let server = server();
    let mut other = server.connect("/ws").await;
    let before = inspect(&mut other).await["dropped"].as_u64().unwrap();
    let mut client = server.connect("/limited").await;
    for id in ["a", "b"] {
        client.send_request("SLEEP", id, json!({ "ms": 60_000 })).await;
    }
    wait_for_running(&server, &json!(2)).await;
    drop(client);
    wait_for_running(&server, &json!(0)).await;
    assert_eq!(inspect(&mut other).await["dropped"], before + 2);
}

#[tokio::test]
async fn the_server_calls_its_client() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.send("ASK_ME", json!({ "question": "who?" })).await;
    let ask = client.recv().await;
    assert_eq!((&ask["type"], &ask["payload"]), (&json!("ASK"), &json!({ "question": "who?" })));
    assert_eq!(keys(&ask["meta"]), ["correlationId", "timestamp"]);
    let id = ask["meta"]["correlationId"].as_str().unwrap().to_owned();
    assert!(id.starts_with("s:"), "{id}");
    // Of another type, with another id, with one that never was: not the answer, and no error either.
    for (message_type, id) in [("PONG", id.as_str()), ("ANSWER", "s:99"), ("RPC_ERROR", "s:99")] {
        client.send_request(message_type, id, json!({ "text": "no" })).await;
    }
    // A request of the client's own may have any id.
    client.send_request("ADD", &id, json!({ "a": 1, "b": 2 })).await;
    client.send_request("ANSWER", &id, json!({ "text": "me" })).await;
    assert_eq!(client.expect("ANSWERED").await, json!({ "text": "me" }));
    let sum = client.recv().await;
    assert_eq!((&sum["type"], &sum["meta"]["correlationId"]), (&json!("SUM"), &json!(id)));
    // Late: ignored.
    client.send_request("ANSWER", &id, json!({ "text": "again" })).await;
    client.assert_alive().await;
}

#[tokio::test]
async fn a_client_may_answer_with_an_error_or_not_at_all() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.send("ASK_ME", json!({ "question": "who?" })).await;
    let id = client.recv().await["meta"]["correlationId"].as_str().unwrap().to_owned();
    client.send_request("RPC_ERROR", &id, json!({ "code": "OUT_OF_CAKE", "message": "sorry" })).await;
    let error = client.expect_error("ERROR", "OUT_OF_CAKE").await;
    assert_eq!(error["message"], "sorry");
    // The answer breaks the response's rules.
    client.send("ASK_ME", json!({ "question": "who?" })).await;
    let id = client.recv().await["meta"]["correlationId"].as_str().unwrap().to_owned();
    client.send_request("ANSWER", &id, json!({ "text": 5 })).await;
    client.expect_error("ERROR", "FAILED_PRECONDITION").await;
    client.send("ASK_ME", json!({ "question": "who?" })).await;
    assert_eq!(client.recv().await["type"], "ASK");
    client.expect_error("ERROR", "DEADLINE_EXCEEDED").await;
    client.assert_alive().await;
}

#[tokio::test]
async fn an_answer_to_another_connections_call_is_ignored() {
    let server = server();
    let (mut asked, mut other) = (server.connect("/ws").await, server.connect("/ws").await);
    asked.send("ASK_ME", json!({ "question": "who?" })).await;
    let id = asked.recv().await["meta"]["correlationId"].as_str().unwrap().to_owned();
    for _ in 0..25 {
        other.send_request("ANSWER", &id, json!({ "text": "stolen" })).await;
    }
    other.assert_alive().await;
    asked.send_request("ANSWER", &id, json!({ "text": "mine" })).await;
    assert_eq!(asked.expect("ANSWERED").await, json!({ "text": "mine" }));
}

#[tokio::test]
async fn a_request_that_waits_ends_at_its_deadline() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.send_request("SLEEP", "first", json!({ "ms": 60_000 })).await;
    for (id, ms) in [("late", 400), ("early", 200)] {
        let meta = json!({ "correlationId": id, "timeoutMs": ms });
        client.text(json!({ "type": "ADD", "meta": meta, "payload": { "a": 1, "b": 2 } }).to_string()).await;
    }
    for id in ["early", "late"] {
        let error = client.recv().await;
        assert_eq!(
            (&error["meta"]["correlationId"], &error["payload"]["code"]),
            (&json!(id), &json!("DEADLINE_EXCEEDED"))
        );
    }
    client.text(r#"{"type":"$ws:abort","meta":{"correlationId":"first"}}"#).await;
    assert_eq!(client.recv().await["payload"]["code"], "CANCELLED");
    client.assert_alive().await;
}
