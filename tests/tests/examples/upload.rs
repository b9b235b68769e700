//! `examples/upload` over real sockets: rows 004-10 and 003-11 of the checklist.

use std::io::{Read as _, Write as _};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use futures_util::SinkExt as _;
use serde_json::{Value, json};
use switchboard_tests::client::{Client, Server};
use tokio_tungstenite::tungstenite::Message;

fn start() -> Server {
    Server::start(upload::app())
}

async fn send_file(client: &mut Client, bytes: Vec<u8>) {
    client.ws.send(Message::binary(bytes)).await.unwrap();
}

/// A PNG, judging by its first bytes.
fn image(len: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.resize(len, 7);
    bytes
}

#[tokio::test]
async fn an_image_is_uploaded_in_a_binary_frame() {
    let server = start();
    let mut client = server.connect("/ws/upload").await;
    let mut last = Value::Null;
    for (bytes, content_type) in [
        (image(8), "image/png"),
        (image(256 * 1024), "image/png"),
        (b"\xff\xd8\xff\xe0".to_vec(), "image/jpeg"),
        (b"GIF89a".to_vec(), "image/gif"),
    ] {
        send_file(&mut client, bytes.clone()).await;
        let complete = client.recv().await;
        assert_eq!(complete["type"], "upload_complete");
        assert_ne!(complete["fileId"], last);
        last = complete["fileId"].clone();
        let url = format!("http://{}/files/{}", server.addr, last.as_str().unwrap());
        let response = reqwest::get(url).await.unwrap();
        assert_eq!(response.headers()["content-type"], content_type);
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.bytes().await.unwrap(), bytes);
    }
}

#[tokio::test]
async fn bytes_that_are_not_an_image_get_an_error() {
    let server = start();
    let mut client = server.connect("/ws/upload").await;
    for bytes in [Vec::new(), b"MZ".to_vec(), b"<svg onload=alert(1)>".to_vec(), image(7)] {
        send_file(&mut client, bytes).await;
        let error = client.recv().await;
        assert_eq!((&error["type"], &error["code"]), (&json!("ERROR"), &json!("INVALID_ARGUMENT")));
        assert_eq!(error["message"], "Not a PNG, JPEG or GIF image");
    }
    send_file(&mut client, image(100)).await;
    assert_eq!(client.recv().await["type"], "upload_complete");
}

#[tokio::test]
async fn files_have_a_soft_and_a_hard_limit() {
    let server = start();
    let mut client = server.connect("/ws/upload").await;
    send_file(&mut client, image(256 * 1024 + 1)).await;
    let error = client.recv().await;
    assert_eq!((&error["type"], &error["code"]), (&json!("ERROR"), &json!("RESOURCE_EXHAUSTED")));
    assert_eq!(error["details"], json!({ "observed": 256 * 1024 + 1, "limit": 256 * 1024 }));
    send_file(&mut client, image(1024)).await;
    assert_eq!(client.recv().await["type"], "upload_complete");
    // Closed at the frame's header: the server may not read the rest.
    let _ = client.ws.send(Message::binary(image(1024 * 1024 + 1))).await;
    assert_eq!(client.skip_to_close().await, 1009);
}

#[tokio::test]
async fn old_files_are_evicted() {
    let server = start();
    let mut client = server.connect("/ws/upload").await;
    let mut ids = Vec::new();
    for _ in 0..17 {
        send_file(&mut client, image(20)).await;
        ids.push(client.recv().await["fileId"].as_str().unwrap().to_owned());
    }
    for (id, status) in [(ids[0].as_str(), 404), (&ids[1], 200), (&ids[16], 200), ("x", 404)] {
        assert_eq!(server.http("GET", &format!("/files/{id}"), None).await.0, status);
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn packed(message: &Value) -> Value {
    json!({ "encoding": "gzip", "data": BASE64_STANDARD.encode(gzip(message.to_string().as_bytes())) })
}

fn unpacked(payload: &Value) -> Value {
    assert_eq!(payload["encoding"], "gzip");
    let bytes = BASE64_STANDARD.decode(payload["data"].as_str().unwrap()).unwrap();
    let mut text = String::new();
    GzDecoder::new(&*bytes).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn note(text: &str) -> Value {
    json!({ "type": "SAVE_NOTE", "payload": { "text": text } })
}

#[tokio::test]
async fn a_compressed_message_is_unpacked_and_answered() {
    let server = start();
    let mut client = server.connect("/ws").await;
    // Longer than the frame limit in both directions.
    let long = "all work and no play ".repeat(9_000);
    let reply = client.request("COMPRESSED", "c1", packed(&note(&long))).await;
    assert_eq!((&reply["type"], &reply["meta"]["correlationId"]), (&json!("NOTE_SAVED"), &json!("c1")));
    assert_eq!(reply["payload"], json!({ "characters": long.len() }));
    client.text(r#"{"type":"FETCH_NOTE"}"#).await;
    let compressed = client.expect("COMPRESSED").await;
    assert_eq!(unpacked(&compressed), json!({ "type": "NOTE", "payload": { "text": long } }));
    // Short messages are not compressed in either direction.
    client.text(note("short").to_string()).await;
    assert_eq!(client.expect("NOTE_SAVED").await, json!({ "characters": 5 }));
    client.text(r#"{"type":"FETCH_NOTE"}"#).await;
    assert_eq!(client.expect("NOTE").await, json!({ "text": "short" }));
}

#[tokio::test]
async fn compressed_messages_are_checked_like_others() {
    let server = start();
    let mut client = server.connect("/ws").await;
    let text_of = |bytes: &[u8]| json!({ "encoding": "gzip", "data": BASE64_STANDARD.encode(bytes) });
    for (payload, code, message) in [
        (json!({ "encoding": "br", "data": "" }), "INVALID_ARGUMENT", ""),
        (json!({ "encoding": "gzip", "data": "?" }), "INVALID_ARGUMENT", "data is not base64"),
        (text_of(b"{}"), "INVALID_ARGUMENT", "data is not gzip"),
        (text_of(&gzip(b"{}")[..12]), "INVALID_ARGUMENT", "data is not gzip"),
        (text_of(&gzip(b"{}")), "INVALID_ARGUMENT", "data is not a message"),
        (text_of(&gzip(b"\xff")), "INVALID_ARGUMENT", "data is not a message"),
        (packed(&note("")), "INVALID_ARGUMENT", ""),
        (packed(&json!({ "type": "SAVE_NOTE" })), "INVALID_ARGUMENT", "the payload inside is not valid"),
        (
            packed(&json!({ "type": "SAVE_NOTE", "payload": { "text": "x", "more": 1 } })),
            "INVALID_ARGUMENT",
            "the payload inside is not valid",
        ),
        (packed(&json!({ "type": "NOPE" })), "UNIMPLEMENTED", ""),
        (packed(&json!({ "type": "COMPRESSED", "payload": packed(&note("x")) })), "UNIMPLEMENTED", ""),
    ] {
        client.send("COMPRESSED", payload).await;
        let error = client.expect_error("ERROR", code).await;
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
    }
}

#[tokio::test]
async fn a_gzip_bomb_is_not_unpacked_completely() {
    let server = start();
    let mut client = server.connect("/ws").await;
    // 40 MB in less than 64 KiB.
    let bomb = gzip(&vec![b' '; 40_000_000]);
    assert!(bomb.len() < 45_000, "{}", bomb.len());
    client.send("COMPRESSED", json!({ "encoding": "gzip", "data": BASE64_STANDARD.encode(bomb) })).await;
    let error = client.expect_error("ERROR", "RESOURCE_EXHAUSTED").await;
    assert_eq!(error["details"]["limit"], 256 * 1024);
    assert_eq!(error["retryAfterMs"], Value::Null);
    client.text(note("alive").to_string()).await;
    client.expect("NOTE_SAVED").await;
}
