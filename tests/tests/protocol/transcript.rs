//! The transcript at the beginning of `docs/protocol.md` is what a server does.

use std::{fs, path::Path};

use axum::Router;
use regex::Regex;
use switchboard::{Conn, Progress, WsError, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{client::Server, serve::ws_route};
use tokio_tungstenite::tungstenite::{
    Message, Utf8Bytes,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

#[ws_message("SAY")]
struct Say {
    #[validate(length(min = 1, max = 200))]
    text: String,
}

#[ws_message("SAID")]
struct Said {
    text: String,
    listener_count: usize,
}

#[ws_message("STEP")]
struct Step {
    done: u32,
}

#[ws_message("SUM")]
struct Sum {
    result: f64,
}

#[ws_rpc("ADD", response = Sum, progress = Step)]
struct Add {
    numbers: Vec<f64>,
}

async fn enter(conn: Conn) -> Result<(), WsError> {
    conn.subscribe("lobby").await?;
    Ok(())
}

async fn say(conn: Conn, say: Say) -> Result<(), WsError> {
    conn.publish("lobby", Said { text: say.text, listener_count: 1 }).await?;
    Ok(())
}

async fn add(mut progress: Progress<Step>, add: Add) -> Result<Sum, WsError> {
    progress.send(Step { done: 1 }).await?;
    Ok(Sum { result: add.numbers.iter().sum() })
}

/// What differs each time, replaced.
fn masked(line: &str) -> String {
    let mut line = line.to_owned();
    for (pattern, mask) in [
        (r#""(timestamp|ts)":[0-9]+"#, r#""$1":0"#),
        ("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "id"),
        (r#""contract":"[0-9a-f]+""#, r#""contract":"hash""#),
    ] {
        line = Regex::new(pattern).unwrap().replace_all(&line, mask).into_owned();
    }
    line
}

/// Plays the client's lines, and writes what the server answers where the document has answers.
#[tokio::test]
async fn the_documents_transcript_is_what_a_server_does() {
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md")).unwrap();
    let (_, transcript) = document.split_once("```text\n").unwrap();
    let (transcript, _) = transcript.split_once("```").unwrap();
    let (handshake, frames) = transcript.split_once("\n\n").unwrap();

    let ws = WsRouter::<()>::new().on_open(enter).on(say).on(add);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let header = |line: &str| {
        let (name, value) = line[2..].split_once(": ").unwrap();
        (name.to_owned(), value.to_owned())
    };
    let sent: Vec<_> = handshake.lines().skip(1).filter(|line| line.starts_with("> ")).map(header).collect();
    let sent: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut client = server.upgrade("/ws", &sent).await.unwrap();
    let mut played = String::new();
    for line in handshake.lines() {
        let answer = match line.strip_prefix("< ") {
            Some(answer) if answer.contains(": ") => {
                let (name, _) = header(line);
                format!("< {name}: {}", client.headers[&name].to_str().unwrap())
            }
            _ => line.to_owned(),
        };
        played += &format!("{answer}\n");
    }
    played += "\n";
    for line in frames.lines() {
        if line == "> close 1000" {
            let frame = CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::default() };
            client.ws.close(Some(frame)).await.unwrap();
        } else if let Some(text) = line.strip_prefix("> ") {
            client.text(text).await;
        }
        if line.starts_with("< ") {
            played += &match client.frame().await {
                Message::Text(text) => format!("< {text}\n"),
                Message::Close(frame) => format!("< close {}\n", frame.map_or(1005, |frame| u16::from(frame.code))),
                frame => panic!("{frame:?}"),
            };
        } else {
            played += &format!("{line}\n");
        }
    }
    assert_eq!(masked(transcript), masked(&played), "a server does\n{played}");
}
