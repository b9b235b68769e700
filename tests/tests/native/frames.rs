//! Frames that break a rule or a limit: the close frame says so, and really arrives.

use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use switchboard::Config;
use switchboard_tests::client::{Client, PATIENCE, Server, masked};
use tokio::{io::AsyncReadExt as _, time::timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::serve;

/// A server that ends its half of the stream behind the close frame, and keeps the other for so long that an end that
/// is seen is that one.
fn patient(config: Config) -> Server {
    serve(config.close_timeout(Duration::from_secs(600)))
}

/// Writes bytes to a [`patient`] server, expects a close frame with this code, and then the end of the stream.
async fn expect_refused(client: &mut Client, bytes: &[u8], code: u16, what: &str) {
    client.raw(bytes).await;
    assert_eq!(client.expect_close().await.0, code, "{what}");
    let mut rest = Vec::new();
    let end = timeout(PATIENCE, client.ws.get_mut().read_to_end(&mut rest)).await.expect("an end in time");
    assert!(end.is_ok() && rest.is_empty(), "{what}: {end:?}");
}

fn long(first: u8, len: u64) -> Vec<u8> {
    [&[first, 0xff][..], &len.to_be_bytes(), &[0; 4]].concat()
}

#[tokio::test]
async fn broken_frames_get_1002() {
    let server = patient(Config::new());
    let unmasked = b"\x81\x02hi".to_vec();
    let frames = [
        ("not masked", unmasked),
        ("reserved bit 1", masked(0xc1, b"x")),
        ("reserved bit 2", masked(0xa1, b"x")),
        ("reserved bit 3", masked(0x91, b"x")),
        ("opcode 3", masked(0x83, b"")),
        ("opcode 11", masked(0x8b, b"")),
        ("length of 64 bits", long(0x81, 1 << 63)),
        ("length not in its shortest form", long(0x81, 5)),
        ("control frame of 126 bytes", masked(0x89, &[0; 126])),
        ("fragmented control frame", masked(0x09, b"")),
        ("continuation of nothing", masked(0x80, b"")),
        ("message within a message", [masked(0x01, b"a"), masked(0x81, b"b")].concat()),
        ("close frame of one byte", masked(0x88, &[3])),
        ("close code 999", masked(0x88, &999_u16.to_be_bytes())),
        ("close code 1005", masked(0x88, &1005_u16.to_be_bytes())),
        ("close code 5000", masked(0x88, &5000_u16.to_be_bytes())),
    ];
    for (what, bytes) in frames {
        expect_refused(&mut server.connect("/ws").await, &bytes, 1002, what).await;
    }
}

#[tokio::test]
async fn bad_utf8_gets_1007_at_once() {
    let server = patient(Config::new());
    let frames = [
        ("at once", masked(0x81, b"\xff")),
        // The rest of the message never comes.
        ("in a fragment", masked(0x01, b"abc\xed\xa0")),
        ("in a frame that is half there", masked(0x81, b"a\xff____________").into_iter().take(9).collect()),
        ("split over fragments", [masked(0x01, b"\xce"), masked(0x00, b"\xff")].concat()),
        ("cut off", [masked(0x01, b"\xce"), masked(0x80, b"")].concat()),
        ("in a close frame", masked(0x88, b"\x03\xe8\xff")),
    ];
    for (what, bytes) in frames {
        expect_refused(&mut server.connect("/ws").await, &bytes, 1007, what).await;
    }
}

#[tokio::test]
async fn a_length_over_the_limit_gets_1009_at_the_header() {
    let server = patient(Config::new());
    for len in [64 * 1024 + 1, 1 << 40, (1 << 63) - 1] {
        expect_refused(&mut server.connect("/ws").await, &long(0x82, len), 1009, "length").await;
    }
    let fragments = [masked(0x01, &[b'x'; 40_000]), masked(0x00, &[b'x'; 30_000])].concat();
    expect_refused(&mut server.connect("/ws").await, &fragments, 1009, "fragments").await;
}

#[tokio::test]
async fn too_many_fragments_get_1009() {
    let server = patient(Config::new());
    let mut one_byte = masked(0x01, b"x");
    let mut empty = masked(0x01, b"");
    for _ in 0..1024 {
        one_byte.extend(masked(0x00, b"x"));
        empty.extend(masked(0x00, b""));
    }
    for (what, bytes) in [("of one byte", one_byte), ("empty", empty)] {
        expect_refused(&mut server.connect("/ws").await, &bytes, 1009, what).await;
    }
}

#[tokio::test]
async fn as_many_fragments_as_allowed_are_one_message() {
    let server = patient(Config::new().max_fragments(3));
    let mut client = server.connect("/ws").await;
    let text = br#"{"type":"PING","payload":{}}"#;
    client.raw(&[masked(0x01, &text[..5]), masked(0x00, b""), masked(0x80, &text[5..])].concat()).await;
    client.expect("PONG").await;
    let frames = [masked(0x01, b"{"), masked(0x00, b""), masked(0x00, b""), masked(0x80, b"}")].concat();
    expect_refused(&mut client, &frames, 1009, "four").await;
}

#[tokio::test]
async fn a_message_that_is_never_finished_gets_1008() {
    let server = serve(Config::new().message_timeout(Duration::from_millis(100)));
    for (what, bytes) in [
        ("a header", b"\x81".to_vec()),
        ("a frame", masked(0x81, b"abcdef").into_iter().take(8).collect()),
        ("a message", masked(0x01, b"{")),
        ("a ping in between does not help", [masked(0x01, b"{"), masked(0x89, b"")].concat()),
    ] {
        let mut client = server.connect("/ws").await;
        client.raw(&bytes).await;
        assert_eq!(client.expect_close().await, (1008, "message not finished in time".into()), "{what}");
    }
}

/// By default.
#[tokio::test]
async fn a_message_has_ten_seconds_to_arrive_by_default() {
    let begin = Instant::now();
    let server = serve(Config::new());
    let mut client = server.connect("/ws").await;
    client.raw(&masked(0x01, b"{")).await;
    // Longer than other tests wait for anything.
    let frame = timeout(2 * PATIENCE, client.ws.next()).await.unwrap().unwrap().unwrap();
    assert!(matches!(frame, Message::Close(Some(close)) if u16::from(close.code) == 1008));
    let took = begin.elapsed();
    assert!((Duration::from_secs(10)..Duration::from_secs(15)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn each_message_has_its_own_time_to_arrive() {
    let server = serve(Config::new().message_timeout(Duration::from_millis(400)));
    let mut client = server.connect("/ws").await;
    let frame = masked(0x81, br#"{"type":"PING","payload":{}}"#);
    let (first, rest) = frame.split_at(10);
    // Something is half-way for much longer than that, but never the same.
    client.raw(first).await;
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(1000) {
        client.raw(&[rest, first].concat()).await;
        client.expect("PONG").await;
    }
    client.raw(rest).await;
    client.expect("PONG").await;
}

#[tokio::test]
async fn a_flood_of_pings_gets_4006() {
    let server = serve(Config::new().max_control_frames(100));
    let mut client = server.connect("/ws").await;
    for n in 0..100_u8 {
        client.ws.send(Message::Ping(vec![n].into())).await.unwrap();
        let pong = timeout(PATIENCE, client.ws.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(pong, Message::Pong(vec![n].into()));
    }
    client.send("PING", json!({})).await;
    client.expect("PONG").await;
    client.raw(&masked(0x89, b"")).await;
    assert_eq!(client.expect_close().await, (4006, "too many control frames".into()));
}

#[tokio::test]
async fn rfc_6455_5_5_2_every_ping_in_one_segment_is_answered_in_order() {
    let server = serve(Config::new());
    let mut client = server.connect("/ws").await;
    let pings: Vec<u8> = (0..50_u8).flat_map(|n| masked(0x89, &[n])).collect();
    client.raw(&pings).await;
    for n in 0..50_u8 {
        let pong = timeout(PATIENCE, client.ws.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(pong, Message::Pong(vec![n].into()));
    }
}

/// A close frame and what comes behind it: nothing does.
#[tokio::test]
async fn rfc_6455_5_5_1_nothing_is_handled_after_the_peers_close_frame() {
    let server = serve(Config::new());
    let mut client = server.connect("/ws").await;
    let ping = masked(0x81, br#"{"type":"PING","payload":{}}"#);
    client.raw(&[&ping[..], &masked(0x88, b"\x0f\xa0bye"), &ping].concat()).await;
    client.expect("PONG").await;
    assert_eq!(client.expect_close().await.0, 4000);
    let mut rest = Vec::new();
    timeout(PATIENCE, client.ws.get_mut().read_to_end(&mut rest)).await.unwrap().unwrap();
    assert!(rest.is_empty());
}

/// A peer that goes on sending after a violation: a reset would take the close frame away.
#[tokio::test]
async fn the_close_frame_arrives_although_more_is_on_its_way() {
    let server = patient(Config::new());
    let mut client = server.connect("/ws").await;
    let more = vec![0_u8; 200_000];
    expect_refused(&mut client, &[&masked(0x83, b"")[..], &more].concat(), 1002, "with 200 kB behind").await;
}
