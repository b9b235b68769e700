//! Section 6: close codes really arrive.

use serde_json::json;
use switchboard_tests::client::masked;

use crate::server;

#[tokio::test]
async fn protocol_errors_are_closed_with_1002() {
    let server = server();
    let unmasked: &[u8] = &[0x81, 0x02, b'{', b'}'];
    for broken in [
        unmasked,
        &masked(0xc1, b"{}"),
        &masked(0x83, b"{}"),
        &masked(0x09, b""),
        &masked(0x89, &[0; 126]),
        &masked(0x80, b"{}"),
        &masked(0x88, b"x"),
    ] {
        let mut client = server.connect("/ws").await;
        client.raw(broken).await;
        assert_eq!(client.expect_close().await.0, 1002, "{broken:?}");
    }
    server.wait_for("/stats", "connections", &json!(0)).await;
}

#[tokio::test]
async fn bad_utf8_is_closed_with_1007() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.raw(&masked(0x81, b"{\"type\":\"\xff\"}")).await;
    assert_eq!(client.expect_close().await.0, 1007);
}

#[tokio::test]
async fn a_close_frame_arrives_before_unread_input_resets_the_connection() {
    let server = server();
    let mut client = server.connect("/ws").await;
    // The header of a frame that is too big, and then a lot that the server will never read.
    let mut bytes = vec![0x81, 0xff, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0];
    bytes.resize(40_000, b'x');
    client.raw(&bytes).await;
    assert_eq!(client.expect_close().await.0, 1009);
}

#[tokio::test]
async fn a_valid_close_code_is_echoed_and_an_invalid_one_answered_with_1002() {
    let server = server();
    for code in [1000, 1001, 1003, 1007, 1011, 3000, 4999] {
        assert_eq!(server.connect("/ws").await.close(code).await, code);
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535] {
        assert_eq!(server.connect("/ws").await.close(code).await, 1002, "{code}");
    }
    server.wait_for("/stats", "connections", &json!(0)).await;
}

#[tokio::test]
async fn a_reply_arrives_though_its_client_closes_at_once() {
    let server = server();
    for code in [1000u16, 4000] {
        let mut client = server.connect("/ws").await;
        let request = json!({ "type": "ADD", "meta": { "correlationId": "c1" }, "payload": { "a": 1, "b": 2 } });
        let mut bytes = masked(0x81, request.to_string().as_bytes());
        bytes.extend(masked(0x88, &code.to_be_bytes()));
        client.raw(&bytes).await;
        assert_eq!(client.expect("SUM").await, json!({ "result": 3.0 }));
        assert_eq!(client.expect_close().await.0, code);
    }
}

#[tokio::test]
async fn connections_and_subscriptions_end() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for topic in ["a", "b"] {
        client.send("JOIN", json!({ "topic": topic })).await;
        client.expect("JOINED").await;
    }
    let (_, stats) = server.http("GET", "/stats", None).await;
    assert_eq!(stats, json!({ "connections": 1, "subscriptions": 2, "topics": 2 }));
    drop(client);
    for key in ["connections", "subscriptions", "topics"] {
        server.wait_for("/stats", key, &json!(0)).await;
    }
    let (status, health) = server.http("GET", "/health", None).await;
    assert_eq!((status, health), (200, json!({ "ready": true, "degraded": false })));
}
