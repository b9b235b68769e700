//! Section 7: ordering and delivery (7.1, 7.2, 7.4, 7.5, and topics of 7.6 to 7.8).

use std::time::Duration;

use axum::Router;
use futures_util::StreamExt as _;
use serde_json::json;
use switchboard::{Config, Conn, Progress, WsError, WsRouter, ws_message, ws_payload, ws_rpc};
use switchboard_tests::{
    client::{Client, PATIENCE, Server, masked},
    serve::ws_route,
};
use tokio_tungstenite::tungstenite::Message;

use crate::server;

#[tokio::test]
async fn messages_are_handled_in_order_one_at_a_time() {
    let server = server();
    let mut client = server.connect("/ws").await;
    // More than the inbox holds: the rest waits in the socket.
    for id in 0..100 {
        client.send("SLOW", json!({ "id": id, "ms": if id % 10 == 0 { 10 } else { 0 } })).await;
        client.send_request("ADD", &id.to_string(), json!({ "a": id, "b": 0 })).await;
        client.text("x").await;
    }
    for id in 0..100 {
        assert_eq!(client.expect("DONE").await, json!({ "id": id }));
        assert_eq!(client.expect("SUM").await, json!({ "result": f64::from(id) }));
        client.expect("ERROR").await;
    }
}

/// The payload of the next frame, which must be a pong.
pub(crate) async fn pong(client: &mut Client) -> Vec<u8> {
    let frame = tokio::time::timeout(PATIENCE, client.ws.next()).await.unwrap().unwrap().unwrap();
    let Message::Pong(payload) = frame else { panic!("no pong: {frame:?}") };
    payload.to_vec()
}

#[tokio::test]
async fn control_frames_do_not_wait() {
    let server = server();
    let mut client = server.connect("/ws").await;
    let sleep = json!({ "ms": 60_000 });
    client.send_request("SLEEP", "s", sleep.clone()).await;
    client.raw(&masked(0x89, b"hi")).await;
    assert_eq!(pong(&mut client).await, b"hi");
    client.text(r#"{"type":"__heartbeat"}"#).await;
    assert_eq!(client.recv().await["type"], "__heartbeat_ack");
    client.text(r#"{"type":"$ws:abort","meta":{"correlationId":"s"}}"#).await;
    client.expect_error("RPC_ERROR", "CANCELLED").await;
    client.send_request("SLEEP", "s", sleep).await;
    assert_eq!(client.close(4000).await, 4000);
}

#[ws_message("NUMBER")]
struct Number {
    n: u32,
}

#[ws_payload]
struct Step {
    n: u32,
}

#[ws_rpc("MIX", response = Number, progress = Step)]
struct Mix {
    #[serde(default)]
    fails: bool,
}

#[ws_message("JOIN")]
struct Join {
    topic: String,
}

#[ws_message("JOINED")]
struct Joined {}

async fn join(conn: Conn, join: Join) -> Result<Joined, WsError> {
    conn.subscribe(join.topic).await?;
    Ok(Joined {})
}

/// Sends, publishes and reports in turn, suspended in between, and then replies or fails.
async fn mix(conn: Conn, mut progress: Progress<Step>, mix: Mix) -> Result<Number, WsError> {
    for n in 0..51 {
        match n % 3 {
            0 => conn.send(Number { n })?,
            1 => drop(conn.publish("mix", Number { n }).await?),
            _ => progress.send(Step { n }).await?,
        }
        if n % 7 == 0 {
            tokio::task::yield_now().await;
        }
    }
    if mix.fails { Err(WsError::not_found("no more")) } else { Ok(Number { n: 51 }) }
}

#[tokio::test]
async fn one_order_for_sends_publishes_progress_and_the_terminal() {
    let server = Server::start(Router::new().route("/ws", ws_route(WsRouter::new().on(mix).on(join))));
    let mut client = server.connect("/ws").await;
    client.send("JOIN", json!({ "topic": "mix" })).await;
    client.expect("JOINED").await;
    for round in 0..20 {
        let fails = round % 2 == 1;
        client.send_request("MIX", "m", json!({ "fails": fails })).await;
        for n in 0..51 {
            let message_type = if n % 3 == 2 { "$ws:rpc-progress" } else { "NUMBER" };
            assert_eq!(client.expect(message_type).await, json!({ "n": n }));
        }
        if fails {
            client.expect_error("RPC_ERROR", "NOT_FOUND").await;
        } else {
            assert_eq!(client.expect("NUMBER").await, json!({ "n": 51 }));
        }
    }
}

#[ws_message("FLOOD")]
struct Flood {
    count: u32,
}

#[ws_message("PAD")]
struct Pad {
    n: u32,
    pad: String,
}

async fn flood(conn: Conn, flood: Flood) -> Result<(), WsError> {
    for n in 0..flood.count {
        conn.ready().await?;
        conn.send(Pad { n, pad: "x".repeat(1000) })?;
    }
    conn.flushed().await?;
    conn.send(Number { n: u32::try_from(conn.buffered()).unwrap_or(u32::MAX) })?;
    Ok(())
}

/// Publishes to everyone, without looking whether they keep up; others run in between.
async fn spray(conn: Conn, _: Mix) -> Result<Number, WsError> {
    let mut reached = 0;
    for n in 0..100 {
        reached = conn.publish("mix", Pad { n, pad: "x".repeat(50_000) }).await?.count().unwrap_or(0);
        tokio::time::sleep(Duration::from_micros(1)).await;
    }
    Ok(Number { n: u32::try_from(reached).unwrap_or(u32::MAX) })
}

#[tokio::test]
async fn a_sender_that_waits_for_room_loses_nothing() {
    let config = Config::new().max_outbound_bytes(64 * 1024);
    let server = Server::start(Router::new().route("/ws", ws_route(WsRouter::new().config(config).on(flood))));
    let mut client = server.connect("/ws").await;
    client.send("FLOOD", json!({ "count": 20_000 })).await;
    for n in 0..20_000 {
        assert_eq!(client.expect("PAD").await["n"], n);
    }
    assert_eq!(client.expect("NUMBER").await, json!({ "n": 0 }));
}

#[tokio::test]
async fn an_overflow_closes_with_4002_and_the_others_lose_nothing() {
    let config = Config::new().max_outbound_bytes(256 * 1024);
    let ws = WsRouter::new().config(config).on(spray).on(join);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let mut publisher = server.connect("/ws").await;
    let mut slow = server.connect("/ws").await;
    let mut fast = server.connect("/ws").await;
    for client in [&mut slow, &mut fast] {
        client.send("JOIN", json!({ "topic": "mix" })).await;
        client.expect("JOINED").await;
    }
    // The kernel takes some megabytes for a reader that does not read.
    let mut members = 2;
    for round in 0..20 {
        publisher.send_request("MIX", &round.to_string(), json!({})).await;
        members = read_round(&mut publisher, &mut fast).await;
        if members == 1 {
            break;
        }
    }
    assert_eq!(members, 1, "the slow one was not evicted");
    assert_eq!(slow.skip_to_close().await, 4002);
}

/// Reads what the fast member gets until the publisher has its reply; how many members are left.
async fn read_round(publisher: &mut Client, fast: &mut Client) -> u64 {
    let read = async {
        for n in 0..100 {
            assert_eq!(fast.expect("PAD").await["n"], n);
        }
    };
    let (reply, ()) = tokio::join!(publisher.recv(), read);
    reply["payload"]["n"].as_u64().unwrap()
}

/// Publishes much more than a queue holds in one go.
#[tokio::test]
async fn members_that_read_keep_up_with_a_burst() {
    async fn burst(conn: Conn, _: Mix) -> Result<Number, WsError> {
        for n in 0..400 {
            conn.publish("mix", Pad { n, pad: "x".repeat(4096) }).await?;
        }
        Ok(Number { n: 400 })
    }
    let server = Server::start(Router::new().route("/ws", ws_route(WsRouter::new().on(burst).on(join))));
    let mut publisher = server.connect("/ws").await;
    let mut members = [server.connect("/ws").await, server.connect("/ws").await];
    for member in &mut members {
        member.send("JOIN", json!({ "topic": "mix" })).await;
        member.expect("JOINED").await;
    }
    publisher.send_request("MIX", "m", json!({})).await;
    for member in &mut members {
        for n in 0..400 {
            assert_eq!(member.expect("PAD").await["n"], n);
        }
    }
    publisher.expect("NUMBER").await;
}

#[tokio::test]
async fn publishing_reaches_members_with_and_without_the_sender() {
    let server = server();
    let mut a = server.connect("/ws").await;
    let mut b = server.connect("/ws").await;
    let mut outsider = server.connect("/ws").await;
    for (members, client) in [(1, &mut a), (2, &mut b)] {
        client.send("JOIN", json!({ "topic": "t" })).await;
        assert_eq!(client.expect("JOINED").await, json!({ "topic": "t", "members": members }));
    }
    a.send("SAY", json!({ "topic": "t", "text": "1" })).await;
    a.send("SAY", json!({ "topic": "t", "text": "2", "includeSelf": true })).await;
    assert_eq!(a.expect("SAID").await["text"], "2");
    outsider.send("SAY", json!({ "topic": "t", "text": "3" })).await;
    assert_eq!(a.expect("SAID").await["text"], "3");
    let mut texts = Vec::new();
    for _ in 0..3 {
        texts.push(b.expect("SAID").await["text"].as_str().unwrap().to_owned());
    }
    assert_eq!(texts, ["1", "2", "3"]);
    outsider.assert_alive().await;
}

#[tokio::test]
async fn nothing_arrives_after_unsubscribe_returned() {
    let server = server();
    let mut member = server.connect("/ws").await;
    let mut publisher = server.connect("/ws").await;
    let mut arrived = 0;
    for round in 0..50 {
        member.send("JOIN", json!({ "topic": "t" })).await;
        publisher.send("SAY", json!({ "topic": "t", "text": round.to_string() })).await;
        publisher.send("SAY", json!({ "topic": "t", "text": round.to_string() })).await;
        member.send("LEAVE", json!({ "topic": "t" })).await;
        loop {
            let message = member.recv().await;
            match message["type"].as_str() {
                Some("JOINED") => {}
                Some("SAID") => arrived += 1,
                _ => {
                    assert_eq!(message["type"], "LEFT");
                    break;
                }
            }
        }
        member.assert_alive().await;
    }
    assert!(arrived > 0, "nothing was published between joining and leaving");
}

#[tokio::test]
async fn subscribing_twice_has_no_effect_and_quota_is_kept() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for _ in 0..2 {
        client.send("JOIN", json!({ "topic": "t0" })).await;
        assert_eq!(client.expect("JOINED").await["members"], 1);
    }
    for n in 1..128 {
        client.send("JOIN", json!({ "topic": format!("t{n}") })).await;
        client.expect("JOINED").await;
    }
    client.send("JOIN", json!({ "topic": "one-too-many" })).await;
    let error = client.expect_error("ERROR", "RESOURCE_EXHAUSTED").await;
    assert_eq!(error["details"], json!({ "limit": 128, "current": 128 }));
    client.send("LEAVE", json!({ "topic": "t0" })).await;
    assert_eq!(client.expect("LEFT").await, json!({ "topic": "t0", "members": 0 }));
    client.send("JOIN", json!({ "topic": "one-too-many" })).await;
    client.expect("JOINED").await;
}

#[tokio::test]
async fn topic_names_are_validated() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for bad in ["", "a b", "a*", "a>", "a\0b", "a\r\nb", "a\u{7f}b", "a\u{85}b", &"x".repeat(129), &"é".repeat(65)] {
        for message_type in ["JOIN", "LEAVE", "SAY"] {
            let mut payload = json!({ "topic": bad });
            if message_type == "SAY" {
                payload["text"] = json!("x");
            }
            client.send(message_type, payload).await;
            client.expect_error("ERROR", "INVALID_ARGUMENT").await;
        }
    }
    for good in ["комната:1", "x", &"x".repeat(128), &"é".repeat(64)] {
        client.send("JOIN", json!({ "topic": good })).await;
        client.expect("JOINED").await;
    }
}

#[tokio::test]
async fn publishing_over_http_tells_how_many_matched() {
    let server = server();
    let (status, body) = server.http("POST", "/publish/t", Some(json!({ "text": "x" }))).await;
    assert_eq!((status, body), (200, json!({ "matched": 0 })));
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = server.connect("/ws").await;
        client.send("JOIN", json!({ "topic": "t" })).await;
        client.expect("JOINED").await;
        clients.push(client);
    }
    let (_, body) = server.http("POST", "/publish/t", Some(json!({ "text": "x" }))).await;
    assert_eq!(body, json!({ "matched": 3 }));
    for client in &mut clients {
        assert_eq!(client.expect("SAID").await, json!({ "topic": "t", "text": "x" }));
    }
    let (status, _) = server.http("POST", "/publish/a%20b", Some(json!({ "text": "x" }))).await;
    assert_eq!(status, 400);
}
