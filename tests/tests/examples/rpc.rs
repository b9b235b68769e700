//! `examples/rpc` over real sockets: rows 001-14 and 002-33 of the checklist, and its other
//! features.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard_tests::client::{Client, PATIENCE, Server};

fn start() -> Server {
    Server::start(rpc::app())
}

/// Sends a request with additional keys in `meta`.
async fn send(client: &mut Client, message_type: &str, meta: Value, payload: Value) {
    client.text(json!({ "type": message_type, "meta": meta, "payload": payload }).to_string()).await;
}

async fn abort(client: &mut Client, id: &str) {
    client.text(json!({ "type": "$ws:abort", "meta": { "correlationId": id } }).to_string()).await;
}

/// Repeats a request until the reply's payload is as expected.
async fn until(client: &mut Client, message_type: &str, payload: Value, expected: Value) {
    let asking = async {
        loop {
            let answer = client.request(message_type, "until", payload.clone()).await["payload"].take();
            if answer == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, asking).await.is_ok();
    assert!(in_time, "{message_type} was never {expected}");
}

/// Returns the type, correlation id and payload of a message.
fn parts(message: &Value) -> (&str, &str, &Value) {
    (message["type"].as_str().unwrap(), message["meta"]["correlationId"].as_str().unwrap(), &message["payload"])
}

/// Returns the type, correlation id and code of an error.
fn error(message: &Value) -> (&str, &str, &str) {
    let (message_type, id, payload) = parts(message);
    (message_type, id, payload["code"].as_str().unwrap())
}

#[tokio::test]
async fn the_page_and_its_files_are_served_with_safe_headers() {
    let server = start();
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/card.js", "text/javascript; charset=utf-8"),
        ("/client/rpc.js", "text/javascript; charset=utf-8"),
        ("/client/switchboard-client.js", "text/javascript; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
    ] {
        let response = reqwest::get(format!("http://{}{path}", server.addr)).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], content_type, "{path}");
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    }
}

#[tokio::test]
async fn a_calculation_is_answered_or_refused() {
    let server = start();
    let mut client = server.connect("/ws").await;
    for (operation, result) in [("add", 5.0), ("multiply", 6.0)] {
        let reply = client.request("CALCULATE", "c1", json!({ "operation": operation, "a": 2, "b": 3 })).await;
        assert_eq!(parts(&reply), ("CALCULATE_RESULT", "c1", &json!({ "result": result })));
    }
    for payload in [
        json!({ "operation": "divide", "a": 2, "b": 3 }),
        json!({ "operation": "add", "a": "2", "b": 3 }),
        json!({ "operation": "add", "a": 2 }),
        json!({ "operation": "multiply", "a": 1e308, "b": 10 }),
    ] {
        let reply = client.request("CALCULATE", "c2", payload).await;
        assert_eq!(error(&reply), ("RPC_ERROR", "c2", "INVALID_ARGUMENT"));
    }
}

#[tokio::test]
async fn profiles_are_fetched_with_typed_errors() {
    let server = start();
    let mut client = server.connect("/ws").await;
    let reply = client.request("FETCH_PROFILE", "p1", json!({ "userId": "ann" })).await;
    let ann = json!({ "id": "ann", "name": "Ann", "email": "ann@example.com" });
    assert_eq!(parts(&reply), ("PROFILE_RESPONSE", "p1", &ann));
    for (user, code, message) in
        [("nobody", "NOT_FOUND", "User nobody not found"), ("cleo", "INTERNAL", "Failed to fetch profile")]
    {
        let reply = client.request("FETCH_PROFILE", "p2", json!({ "userId": user })).await;
        assert_eq!(error(&reply), ("RPC_ERROR", "p2", code));
        assert_eq!(reply["payload"]["message"], message);
        // The reason is only in the log.
        assert!(!reply.to_string().contains("email"), "{reply}");
    }
}

#[tokio::test]
async fn progress_arrives_before_the_reply() {
    let server = start();
    let mut client = server.connect("/ws").await;
    client.text(r#"{"type":"EXPORT_PROFILES","meta":{"correlationId":"e"}}"#).await;
    for done in 1..=3 {
        let step = client.recv().await;
        assert_eq!(parts(&step), ("$ws:rpc-progress", "e", &json!({ "done": done, "total": 3 })));
    }
    assert_eq!(parts(&client.recv().await), ("PROFILES_EXPORTED", "e", &json!({ "names": ["Ann", "Bob"] })));
}

#[tokio::test]
async fn a_search_replies_before_the_clients_timeout() {
    let server = start();
    let mut client = server.connect("/ws").await;
    send(&mut client, "SEARCH", json!({ "correlationId": "s", "timeoutMs": 400 }), json!({ "text": "a" })).await;
    let reply = client.recv().await;
    let (message_type, _, found) = parts(&reply);
    assert_eq!((message_type, &found["complete"]), ("FOUND", &json!(false)));
    assert!(found["pages"].as_u64().unwrap() < 20);
    let reply = client.request("SEARCH", "s", json!({ "text": "a" })).await;
    assert_eq!(parts(&reply), ("FOUND", "s", &json!({ "pages": 20, "complete": true })));
}

#[tokio::test]
async fn a_passed_deadline_is_an_error() {
    let server = start();
    let mut client = server.connect("/ws").await;
    send(&mut client, "WAIT", json!({ "correlationId": "w", "timeoutMs": 50 }), json!({ "ms": 60_000 })).await;
    assert_eq!(error(&client.recv().await), ("RPC_ERROR", "w", "DEADLINE_EXCEEDED"));
}

#[tokio::test]
async fn waits_run_beside_other_requests_and_can_be_aborted() {
    let server = start();
    let mut client = server.connect("/ws").await;
    for id in ["a", "b", "c"] {
        client.send_request("WAIT", id, json!({ "ms": 60_000 })).await;
    }
    client.send_request("WAIT", "short", json!({ "ms": 1 })).await;
    assert_eq!(parts(&client.recv().await), ("WAITED", "short", &json!({ "ms": 1 })));
    let reply = client.request("CALCULATE", "c1", json!({ "operation": "add", "a": 1, "b": 1 })).await;
    assert_eq!(reply["type"], "CALCULATE_RESULT");
    for id in ["b", "a", "c"] {
        abort(&mut client, id).await;
        assert_eq!(error(&client.recv().await), ("RPC_ERROR", id, "CANCELLED"));
    }
}

#[tokio::test]
async fn an_abort_ends_work_on_another_thread() {
    let server = start();
    let (mut client, mut other) = (server.connect("/ws").await, server.connect("/ws").await);
    let reply = client.request("COUNT_PRIMES", "few", json!({ "below": 100 })).await;
    assert_eq!(parts(&reply), ("PRIMES", "few", &json!({ "count": 25 })));
    client.send_request("COUNT_PRIMES", "many", json!({ "below": u32::MAX })).await;
    until(&mut other, "WORK", json!({}), json!({ "running": 1, "abandoned": 0 })).await;
    abort(&mut client, "many").await;
    assert_eq!(error(&client.recv().await), ("RPC_ERROR", "many", "CANCELLED"));
    until(&mut other, "WORK", json!({}), json!({ "running": 0, "abandoned": 1 })).await;
    // No abort is sent: the end of the connection stops the work.
    client.send_request("COUNT_PRIMES", "lost", json!({ "below": u32::MAX })).await;
    until(&mut other, "WORK", json!({}), json!({ "running": 1, "abandoned": 1 })).await;
    drop(client);
    until(&mut other, "WORK", json!({}), json!({ "running": 0, "abandoned": 2 })).await;
}

#[tokio::test]
async fn a_deposit_is_booked_although_its_client_aborts_or_leaves() {
    let server = start();
    let (mut client, mut other) = (server.connect("/ws").await, server.connect("/ws").await);
    let account = json!({ "accountId": "a" });
    let deposit = json!({ "accountId": "a", "amount": 10 });
    client.send_request("DEPOSIT", "d1", deposit.clone()).await;
    until(&mut other, "GET_BALANCE", account.clone(), json!({ "balance": 0, "pending": 10 })).await;
    abort(&mut client, "d1").await;
    assert_eq!(error(&client.recv().await), ("RPC_ERROR", "d1", "CANCELLED"));
    until(&mut other, "GET_BALANCE", account.clone(), json!({ "balance": 10, "pending": 0 })).await;
    client.send_request("DEPOSIT", "d2", deposit).await;
    until(&mut other, "GET_BALANCE", account.clone(), json!({ "balance": 10, "pending": 10 })).await;
    drop(client);
    until(&mut other, "GET_BALANCE", account, json!({ "balance": 20, "pending": 0 })).await;
}

#[tokio::test]
async fn a_repeated_deposit_is_booked_once() {
    let server = start();
    let mut client = server.connect("/ws").await;
    let once = json!({ "balance": 10, "pending": 0 });
    for id in ["d1", "d2"] {
        let meta = json!({ "correlationId": id, "idempotencyKey": "k" });
        send(&mut client, "DEPOSIT", meta, json!({ "accountId": "a", "amount": 10 })).await;
        assert_eq!(parts(&client.recv().await), ("BALANCE", id, &once));
    }
    let meta = json!({ "correlationId": "d3", "idempotencyKey": "k" });
    send(&mut client, "DEPOSIT", meta, json!({ "accountId": "a", "amount": 11 })).await;
    assert_eq!(error(&client.recv().await), ("RPC_ERROR", "d3", "FAILED_PRECONDITION"));
    let reply = client.request("GET_BALANCE", "g", json!({ "accountId": "a" })).await;
    assert_eq!(reply["payload"], once);
}

#[tokio::test]
async fn an_aborted_and_repeated_deposit_is_booked_once() {
    let server = start();
    let (mut client, mut other) = (server.connect("/ws").await, server.connect("/ws").await);
    let account = json!({ "accountId": "a" });
    let deposit = json!({ "accountId": "a", "amount": 10 });
    send(&mut client, "DEPOSIT", json!({ "correlationId": "d1", "idempotencyKey": "k" }), deposit.clone()).await;
    until(&mut other, "GET_BALANCE", account.clone(), json!({ "balance": 0, "pending": 10 })).await;
    abort(&mut client, "d1").await;
    assert_eq!(error(&client.recv().await), ("RPC_ERROR", "d1", "CANCELLED"));
    send(&mut client, "DEPOSIT", json!({ "correlationId": "d2", "idempotencyKey": "k" }), deposit).await;
    let once = json!({ "balance": 10, "pending": 0 });
    assert_eq!(parts(&client.recv().await), ("BALANCE", "d2", &once));
    until(&mut other, "GET_BALANCE", account, once).await;
}

#[tokio::test]
async fn the_server_calls_its_client() {
    let server = start();
    let mut client = server.connect("/ws").await;
    for (answer, payload, code) in [
        ("CONFIRMED", json!({ "yes": false }), "FAILED_PRECONDITION"),
        ("RPC_ERROR", json!({ "code": "PERMISSION_DENIED", "message": "no" }), "PERMISSION_DENIED"),
        ("CONFIRMED", json!({ "yes": 1 }), "FAILED_PRECONDITION"),
    ] {
        let id = asked(&mut client, "bob").await;
        client.send_request(answer, &id, payload).await;
        assert_eq!(error(&client.recv().await), ("RPC_ERROR", "x", code));
    }
    let id = asked(&mut client, "bob").await;
    client.send_request("CONFIRMED", &id, json!({ "yes": true })).await;
    assert_eq!(parts(&client.recv().await), ("PROFILE_DELETED", "x", &json!({ "userId": "bob" })));
    let reply = client.request("FETCH_PROFILE", "p", json!({ "userId": "bob" })).await;
    assert_eq!(error(&reply), ("RPC_ERROR", "p", "NOT_FOUND"));
}

/// Requests a deletion, and returns the correlation id of the server's call.
async fn asked(client: &mut Client, user: &str) -> String {
    let question = client.request("DELETE_PROFILE", "x", json!({ "userId": user })).await;
    let (message_type, id, payload) = parts(&question);
    assert_eq!((message_type, payload), ("CONFIRM", &json!({ "question": format!("Delete the profile of {user}?") })));
    id.to_owned()
}
