//! Peers that do not read, that vanish, and handlers that send without looking.

use std::time::Duration;

use serde_json::json;
use switchboard::Config;
use switchboard_tests::client::masked;
use tokio::io::AsyncWriteExt as _;

use crate::serve;

#[tokio::test]
async fn a_peer_that_ends_is_noticed_while_nothing_is_read() {
    let server = serve(Config::new().max_inbox(2, 1024));
    let mut client = server.connect("/ws").await;
    client.send("HANG", json!({})).await;
    // Two fill the inbox; nobody asks for the others.
    client.raw(&masked(0x81, br#"{"type":"PING","payload":{}}"#).repeat(100)).await;
    client.ws.get_mut().shutdown().await.unwrap();
    server.wait_for("/dropped", "dropped", &json!(1)).await;
}

#[tokio::test]
async fn a_peer_that_resets_is_noticed_behind_much_that_is_not_read() {
    let server = serve(Config::new().max_inbox(2, 1024));
    let mut client = server.connect("/ws").await;
    client.send("HANG", json!({})).await;
    client.raw(&masked(0x81, br#"{"type":"PING","payload":{}}"#).repeat(10_000)).await;
    client.ws.get_mut().set_zero_linger().unwrap();
    drop(client);
    server.wait_for("/dropped", "dropped", &json!(1)).await;
}

#[tokio::test]
async fn a_handler_may_send_more_than_the_queue_holds_to_a_client_that_reads() {
    let server = serve(Config::new().max_outbound_bytes(256 * 1024));
    let mut client = server.connect("/ws").await;
    // The kernel takes some megabytes of it at once.
    client.send("FLOOD", json!({ "count": 1000, "bytes": 1000 })).await;
    for n in 0..1000 {
        assert_eq!(client.expect("PAD").await["n"], n);
    }
    client.send("PING", json!({})).await;
    client.expect("PONG").await;
}

#[tokio::test]
async fn a_reader_that_stops_gets_4002_behind_whole_frames() {
    let server = serve(Config::new().max_outbound_bytes(64 * 1024));
    let mut client = server.connect("/ws").await;
    client.send("FLOOD", json!({ "count": 20_000, "bytes": 1000 })).await;
    // Everything up to the close frame is whole and in order.
    let mut n = 0;
    loop {
        match client.frame().await {
            tokio_tungstenite::tungstenite::Message::Text(text) => {
                let message: serde_json::Value = serde_json::from_str(&text).unwrap();
                if message["type"] == "PAD" {
                    assert_eq!(message["payload"]["n"], n);
                    n += 1;
                }
            }
            tokio_tungstenite::tungstenite::Message::Close(frame) => {
                assert_eq!(u16::from(frame.unwrap().code), 4002);
                break;
            }
            frame => panic!("{frame:?}"),
        }
    }
    assert!(n > 10, "{n}");
}

#[tokio::test]
async fn a_reader_that_never_reads_is_dropped_after_the_write_timeout() {
    let config = Config::new().max_outbound_bytes(64 * 1024).write_timeout(Duration::from_millis(100));
    let server = serve(config);
    let mut client = server.connect("/ws").await;
    client.send("FLOOD", json!({ "count": 20_000, "bytes": 1000 })).await;
    client.send("HANG", json!({})).await;
    // It reads nothing, and its connection ends: the socket is closed under it.
    let closed = async {
        while client.ws.get_mut().write_all(&masked(0x89, b"")).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(switchboard_tests::client::PATIENCE, closed).await.expect("the end in time");
}

#[tokio::test]
async fn a_reset_in_the_middle_of_a_frame_ends_the_handler() {
    let server = serve(Config::new());
    let mut client = server.connect("/ws").await;
    client.send("HANG", json!({})).await;
    client.raw(&masked(0x81, &[b'x'; 1000])[..500]).await;
    client.ws.get_mut().set_zero_linger().unwrap();
    drop(client);
    server.wait_for("/dropped", "dropped", &json!(1)).await;
}

/// A large message in portions goes to where it stays; then the memory is given back.
#[tokio::test]
async fn messages_up_to_the_limit_in_portions_of_any_size() {
    let server = serve(Config::new());
    let mut client = server.connect("/ws").await;
    let text = format!(r#"{{"type":"NOBODY","x":"{}"}}"#, "é".repeat(30_000));
    let frame = masked(0x81, text.as_bytes());
    for size in [1, 1000, 4096, 30_000, frame.len()] {
        for portion in frame.chunks(size.max(frame.len() / 500)) {
            client.raw(portion).await;
            client.ws.get_mut().flush().await.unwrap();
        }
        client.expect_error("ERROR", "UNIMPLEMENTED").await;
    }
}

#[tokio::test]
async fn a_message_that_comes_slowly_is_a_sign_of_life() {
    let beat = Duration::from_millis(200);
    let server = serve(Config::new().ping_interval(beat).pong_timeout(beat));
    let mut client = server.connect("/ws").await;
    // No pong can come before its end, five times as late as one may be.
    let frame = masked(0x81, format!(r#"{{"type":"PING","payload":{{}},"x":"{}"}}"#, "x".repeat(10_000)).as_bytes());
    for portion in frame.chunks(100) {
        client.raw(portion).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    client.expect("PONG").await;
}
