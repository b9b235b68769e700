//! Row 001-1 of the checklist: the program of the README is started, and talked to as its page does.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

use std::{net::SocketAddr, process::Stdio};

use serde_json::json;
use switchboard_tests::client::{Client, PATIENCE, connect, http};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// Starts the program on any free port. It is killed when dropped.
async fn start() -> (Child, SocketAddr) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quick-start"));
    let mut program = command.arg("127.0.0.1:0").stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(program.stderr.take().unwrap()).lines();
    let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
    (program, line.strip_prefix("listening on http://").unwrap().parse().unwrap())
}

#[tokio::test]
async fn the_program_answers() {
    let (_program, addr) = start().await;
    let (mut ann, mut bob): (Client, Client) = (connect(addr, "/ws").await, connect(addr, "/ws").await);
    // A request is answered; then both are in the lobby, because the hook ran before.
    for client in [&mut ann, &mut bob] {
        let reply = client.request("ADD", "1", json!({ "a": 1, "b": 2.5 })).await;
        assert_eq!((&reply["type"], &reply["payload"]), (&json!("SUM"), &json!({ "result": 3.5 })));
        assert_eq!(reply["meta"]["correlationId"], "1");
    }
    ann.send("SAY", json!({ "text": "hi" })).await;
    for client in [&mut ann, &mut bob] {
        assert_eq!(client.expect("SAID").await, json!({ "text": "hi", "listenerCount": 2 }));
    }
    for (text, length) in [(String::new(), 0), ("x".repeat(201), 201)] {
        ann.send("SAY", json!({ "text": text })).await;
        let error = ann.expect_error("ERROR", "INVALID_ARGUMENT").await;
        assert_eq!(error["details"]["issues"][0]["path"], "text", "{length} characters");
        assert_eq!(error["details"]["issues"][0]["code"], "length", "{length} characters");
    }
    bob.close(1000).await;
    // A closed connection is not counted, as soon as the server notices.
    let alone = async {
        loop {
            ann.send("SAY", json!({ "text": "alone?" })).await;
            if ann.expect("SAID").await == json!({ "text": "alone?", "listenerCount": 1 }) {
                return;
            }
        }
    };
    timeout(PATIENCE, alone).await.unwrap();
    assert_eq!(http(addr, "GET", "/", None).await.0, 200);
}
