//! What must be so on every stream.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _, future::join_all};
use serde_json::{Value, json};
use switchboard::{ClosedBy, Config};
use switchboard_tests::{
    client::{PATIENCE, masked},
    conformance,
};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    app::{App, enter, expect_note},
    site::{Site, any_frame, expect_end, is_axum},
};

pub(crate) async fn requests_and_events<T: Site>() {
    let site = T::start(conformance::app()).await;
    let mut client = site.connect("/ws/rooms/blue").await;
    let id = client.headers["x-client-id"].to_str().unwrap().to_owned();
    let me = client.request("WHOAMI", "c1", json!({})).await;
    assert_eq!((&me["payload"]["clientId"], &me["payload"]["room"]), (&json!(id), &json!("blue")));
    client.send("PING", json!({ "text": "hello" })).await;
    assert_eq!(client.expect("PONG").await, json!({ "text": "hello" }));
    // A handler that is not ready at once, and one behind it.
    client.send_request("SLEEP", "c2", json!({ "ms": 5 })).await;
    client.send("PING", json!({ "text": "behind" })).await;
    assert_eq!(client.expect("SLEPT").await, json!({ "ms": 5 }));
    assert_eq!(client.expect("PONG").await, json!({ "text": "behind" }));
    client.send("JOIN", json!({ "topic": "t" })).await;
    client.expect("JOINED").await;
    client.send("SAY", json!({ "topic": "t", "text": "x", "includeSelf": true })).await;
    assert_eq!(client.expect("SAID").await, json!({ "topic": "t", "text": "x" }));
    client.send("NONSENSE", json!({})).await;
    client.expect_error("ERROR", "UNIMPLEMENTED").await;
    let mut binary = site.connect("/binary").await;
    binary.ws.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(binary.frame().await, Message::binary(vec![3, 2, 1]));
    client.assert_alive().await;
}

pub(crate) async fn requests_sent_at_once_are_answered_in_order<T: Site>() {
    let site = T::start(conformance::app()).await;
    let mut client = site.connect("/ws").await;
    let requests = (0..1000).map(|n| {
        let request =
            json!({ "type": "ADD", "meta": { "correlationId": n.to_string() }, "payload": { "a": n, "b": 1 } });
        masked(0x81, request.to_string().as_bytes())
    });
    client.raw(&requests.flatten().collect::<Vec<_>>()).await;
    for n in 0..1000 {
        let sum = client.recv().await;
        assert_eq!(sum["meta"]["correlationId"], n.to_string());
        assert_eq!(sum["payload"], json!({ "result": f64::from(n + 1) }));
    }
    client.assert_alive().await;
}

fn echo(id: &str, text: &str) -> String {
    json!({ "type": "ECHO", "meta": { "correlationId": id }, "payload": { "text": text } }).to_string()
}

/// No two portions of it are the same.
fn long_text(bytes: usize) -> String {
    (0..).flat_map(|n: u32| format!("{n} ").into_bytes()).take(bytes).map(char::from).collect()
}

pub(crate) async fn a_message_in_portions<T: Site>() {
    let site = T::start(App::new(Config::new()).router).await;
    let mut client = site.connect("/ws").await;
    let text = long_text(60 * 1024);
    let frame = masked(0x81, echo("c1", &text).as_bytes());
    let (head, body) = frame.split_at(20);
    for byte in head {
        client.raw(&[*byte]).await;
        tokio::task::yield_now().await;
    }
    for portion in body.chunks(997) {
        client.raw(portion).await;
        tokio::task::yield_now().await;
    }
    assert!(client.expect("ECHOED").await["text"] == text);
    // In one piece, with a mask.
    client.text(echo("c2", &text)).await;
    assert!(client.expect("ECHOED").await["text"] == text);
}

pub(crate) async fn fragments_with_pings_between<T: Site>() {
    let site = T::start(App::new(Config::new()).router).await;
    let mut client = site.connect("/ws").await;
    let text = long_text(30_000);
    let message = echo("c1", &text);
    let fragments: Vec<_> = message.as_bytes().chunks(10_000).collect();
    for (n, fragment) in fragments.iter().enumerate() {
        let fin = if n + 1 == fragments.len() { 0x80 } else { 0 };
        let opcode = u8::from(n == 0);
        client.raw(&masked(fin | opcode, fragment)).await;
        if fin == 0 {
            let payload = [u8::try_from(n).unwrap()];
            client.raw(&masked(0x89, &payload)).await;
            // It does not wait for the message.
            assert_eq!(any_frame(&mut client).await, Message::Pong(payload.to_vec().into()));
        }
    }
    assert!(client.expect("ECHOED").await["text"] == text);
}

/// More each way than any buffer on it holds.
pub(crate) async fn much_both_ways_at_once<T: Site>() {
    const COUNT: usize = 300;
    let config = Config::new().max_outbound_bytes(16 * 1024 * 1024);
    let site = T::start(App::new(config).router).await;
    let (mut sink, mut stream) = site.connect("/ws").await.ws.split();
    let text = long_text(30_000);
    let send = async {
        for n in 0..COUNT {
            sink.send(Message::text(echo(&n.to_string(), &text))).await.unwrap();
        }
    };
    let receive = async {
        for n in 0..COUNT {
            let Message::Text(reply) = stream.next().await.unwrap().unwrap() else { panic!("not text") };
            let reply: Value = serde_json::from_str(&reply).unwrap();
            assert_eq!(reply["meta"]["correlationId"], n.to_string());
            assert!(reply["payload"]["text"] == text);
        }
    };
    timeout(3 * PATIENCE, async { tokio::join!(send, receive) }).await.expect("all in time");
}

pub(crate) async fn fifty_members_get_all_in_order<T: Site>() {
    const NOTES: u32 = 100;
    let app = App::new(Config::new());
    let site = T::start(app.router.clone()).await;
    let mut members = Vec::new();
    for _ in 0..50 {
        let mut member = site.connect("/ws").await;
        enter(&mut member).await;
        members.push(member);
    }
    // One is a member itself, the other is not.
    let mut outsider = site.connect("/ws").await;
    for (from, publisher) in [&mut outsider, &mut members[0]].into_iter().enumerate() {
        let says = (0..NOTES).map(|n| {
            let say = json!({ "type": "SAY", "meta": { "correlationId": n.to_string() }, "payload": { "from": from, "n": n, "bytes": 500 } });
            masked(0x81, say.to_string().as_bytes())
        });
        publisher.raw(&says.flatten().collect::<Vec<_>>()).await;
    }
    // All at once: on one connection of HTTP/2, what one does not read holds up the others in the end.
    let reading = members.iter_mut().enumerate().map(async |(index, member)| {
        let mut next = [0; 2];
        let mut replies = 0;
        while next != [NOTES; 2] || (index == 0 && replies < NOTES) {
            let message = member.recv().await;
            let payload = &message["payload"];
            if message["type"] == "REACHED" {
                // What was published arrives before the reply of whoever published it.
                assert_eq!((payload, replies + 1), (&json!({ "members": 50 }), next[1]));
                replies += 1;
            } else {
                let from = usize::try_from(payload["from"].as_u64().unwrap()).unwrap();
                assert_eq!(payload["n"], next[from], "member {index}");
                next[from] += 1;
            }
        }
    });
    join_all(reading).await;
    drop((members, outsider));
    app.is_empty().await;
}

/// More waits for it than the operating system, or its window of HTTP/2, takes; and for the last of that nothing
/// pushes.
pub(crate) async fn a_member_that_reads_late_holds_nobody_up<T: Site>() {
    const COUNT: u32 = 500;
    let app = App::new(Config::new().max_outbound_bytes(16 * 1024 * 1024));
    let site = T::start(app.router.clone()).await;
    let (mut lazy, mut reader) = (site.connect("/ws").await, site.connect("/ws").await);
    enter(&mut lazy).await;
    enter(&mut reader).await;
    for n in 0..COUNT {
        reader.send_request("SAY", "c", json!({ "from": 0, "n": n, "bytes": 20_000 })).await;
        expect_note(&mut reader, 0, n).await;
        assert_eq!(reader.expect("REACHED").await["members"], 2);
    }
    for n in 0..COUNT {
        expect_note(&mut lazy, 0, n).await;
    }
}

pub(crate) async fn a_member_that_does_not_read_is_evicted<T: Site>() {
    let config = Config::new().max_outbound_bytes(256 * 1024).write_timeout(PATIENCE);
    let mut app = App::new(config);
    let site = T::start(app.router.clone()).await;
    let (mut publisher, mut slow, mut fast) =
        (site.connect("/ws").await, site.connect("/ws").await, site.connect("/ws").await);
    enter(&mut slow).await;
    enter(&mut fast).await;
    let mut sent = 0;
    let mut after = 0;
    // The operating system and HTTP/2 take some megabytes for a reader that does not read.
    while after < 20 {
        assert!(sent < 4000, "it was not evicted");
        let payload = json!({ "from": 0, "n": sent, "bytes": 20_000 });
        let reached = publisher.request("SAY", "c", payload).await;
        expect_note(&mut fast, 0, sent).await;
        sent += 1;
        after += u32::from(reached["payload"]["members"] == 1);
    }
    // What it has got is without a hole, and then comes the reason.
    let mut got = 0;
    let code = loop {
        match slow.frame().await {
            Message::Text(text) => {
                let note: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(note["payload"]["n"], got);
                got += 1;
            }
            Message::Close(frame) => break frame.map_or(1005, |frame| frame.code.into()),
            frame => panic!("{frame:?}"),
        }
    };
    assert_eq!(code, 4002);
    assert!(got < sent, "{got} of {sent}");
    drop(slow);
    assert_eq!(app.closed().await, (4002, ClosedBy::Server));
    app.has_connections(2).await;
    assert_eq!(app.hub.topic("notes").local_subscriber_count(), 1);
}

pub(crate) async fn a_member_that_never_reads_is_dropped<T: Site>() {
    let config = Config::new().max_outbound_bytes(64 * 1024).write_timeout(Duration::from_millis(50));
    let mut app = App::new(config);
    let site = T::start(app.router.clone()).await;
    let (mut publisher, mut slow) = (site.connect("/ws").await, site.connect("/ws").await);
    enter(&mut slow).await;
    let mut sent = 0;
    loop {
        assert!(sent < 4000, "it was not evicted");
        let reached = publisher.request("SAY", "c", json!({ "from": 0, "n": sent, "bytes": 20_000 })).await;
        if reached["payload"]["members"] == 0 {
            break;
        }
        sent += 1;
    }
    assert_eq!(app.closed().await, (4002, ClosedBy::Server));
    app.has_connections(1).await;
    assert_eq!(app.hub.stats().topics, 0);
    drop(slow);
}

pub(crate) async fn a_close_code_of_the_client_comes_back<T: Site>() {
    let mut app = App::new(Config::new());
    let site = T::start(app.router.clone()).await;
    for code in [1000, 3000] {
        let mut client = site.connect("/ws").await;
        client.text(echo("c1", "last")).await;
        client.raw(&masked(0x88, &u16::to_be_bytes(code))).await;
        if T::ARRIVES_UNFLUSHED || !is_axum() {
            // What was asked before is answered before.
            assert_eq!(client.expect("ECHOED").await["text"], "last");
            assert_eq!(client.expect_close().await, (code, String::new()));
            expect_end(&mut client).await;
        }
        drop(client);
        assert_eq!(app.closed().await, (code, ClosedBy::Client));
    }
    app.is_empty().await;
}

pub(crate) async fn the_server_closes<T: Site>() {
    let mut app = App::new(Config::new());
    let site = T::start(app.router.clone()).await;
    let mut client = site.connect("/ws").await;
    enter(&mut client).await;
    client.send("CLOSE", json!({ "code": 1008, "reason": "Invalid token" })).await;
    assert_eq!(client.expect_close().await, (1008, "Invalid token".to_owned()));
    expect_end(&mut client).await;
    drop(client);
    assert_eq!(app.closed().await, (1008, ClosedBy::Server));
    app.is_empty().await;
}

pub(crate) async fn violations_are_told<T: Site>() {
    let mut app = App::new(Config::new());
    let site = T::start(app.router.clone()).await;
    let unmasked = vec![0x81, 0x02, b'{', b'}'];
    let bad_utf8 = masked(0x81, b"{\"type\":\"\xff\"}");
    // The header of 128 KiB, and some of it, which the server will never use.
    let mut too_big = vec![0x81, 0xff, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0];
    too_big.resize(40_000, b'x');
    for (bytes, code) in [(unmasked, 1002), (bad_utf8, 1007), (too_big, 1009)] {
        let mut client = site.connect("/ws").await;
        client.text(echo("c1", "last")).await;
        client.raw(&bytes).await;
        assert_eq!(client.expect("ECHOED").await["text"], "last");
        assert_eq!(client.expect_close().await.0, code);
        expect_end(&mut client).await;
        drop(client);
        assert_eq!(app.closed().await, (code, ClosedBy::Server));
    }
    app.is_empty().await;
}

pub(crate) async fn a_connection_that_is_lost<T: Site>() {
    let mut app = App::new(Config::new());
    let site = T::start(app.router.clone()).await;
    let frame = masked(0x81, echo("c1", &long_text(20_000)).as_bytes());
    for half in [0, 1, 10, 10_000] {
        let mut client = site.connect("/ws").await;
        enter(&mut client).await;
        client.raw(&frame[..half]).await;
        drop(client);
        assert_eq!(app.closed().await, (1006, ClosedBy::Lost), "{half}");
    }
    // While a handler runs.
    let mut client = site.connect("/ws").await;
    enter(&mut client).await;
    client.send_request("HANG", "c1", json!({})).await;
    client.expect("HANGING").await;
    drop(client);
    app.dropped().await;
    assert_eq!(app.closed().await, (1006, ClosedBy::Lost));
    app.is_empty().await;
}

pub(crate) async fn a_handler_that_waits_for_room<T: Site>() {
    const COUNT: u32 = 8000;
    let site = T::start(App::new(Config::new().max_outbound_bytes(64 * 1024)).router).await;
    let mut client = site.connect("/ws").await;
    client.send_request("POUR", "c1", json!({ "count": COUNT, "bytes": 1000, "wait": true })).await;
    for n in 0..COUNT {
        expect_note(&mut client, 0, n).await;
    }
    assert_eq!(client.expect("POURED").await["count"], COUNT);
}

/// Half as much again as the queue holds, in one go.
pub(crate) async fn a_handler_that_does_not_wait<T: Site>() {
    const COUNT: u32 = 192;
    let site = T::start(App::new(Config::new().max_outbound_bytes(128 * 1024)).router).await;
    let mut client = site.connect("/ws").await;
    client.send_request("POUR", "c1", json!({ "count": COUNT, "bytes": 1000, "wait": false })).await;
    if T::IS_SOCKET && !is_axum() {
        for n in 0..COUNT {
            expect_note(&mut client, 0, n).await;
        }
        assert_eq!(client.expect("POURED").await["count"], COUNT);
    } else {
        // Only the connection's task can write, and that is running the handler: `Conn::send` says so.
        assert_eq!(client.expect_close().await.0, 4002);
        expect_end(&mut client).await;
    }
}
