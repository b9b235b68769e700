//! Members that read too slowly, by the policy of the topic.

use serde_json::{Value, json};
use switchboard::{Config, Hub, SlowConsumer, TopicOptions};
use switchboard_tests::client::Client;

use crate::{Note, Place};

const EXTENDED: [(&str, &str); 1] = [("sec-websocket-protocol", "switchboard.v1.json")];

fn config() -> Config {
    Config::new().max_outbound_bytes(256 * 1024)
}

fn note(n: u32, text: &str) -> Note {
    Note { n, text: format!("{text:x<20000}") }
}

/// Much more than kernel and queue take.
const MANY: u32 = 800;

/// All messages up to the note of this number, as (type, n).
async fn read_until(client: &mut Client, last: u32) -> Vec<(String, u64)> {
    let mut all = Vec::new();
    loop {
        let mut message = client.recv().await;
        let Value::String(message_type) = message["type"].take() else { panic!("{message}") };
        let payload = &message["payload"];
        if message_type == "$ws:gap" {
            assert_eq!(payload, &json!({ "topic": "feed:1", "reason": "overflow" }));
        }
        let n = payload["n"].as_u64().unwrap_or_default();
        all.push((message_type, n));
        if n == u64::from(last) {
            return all;
        }
    }
}

#[tokio::test]
async fn the_oldest_are_dropped_and_a_gap_is_told() {
    let options = TopicOptions::new().slow_consumer(SlowConsumer::DropOldest);
    let mut place = Place::with(Hub::builder().topic("feed:*", options).build(), config());
    let (mut slow, conn) = place.connect_as("slow", "", &EXTENDED).await;
    slow.expect("$ws:hello").await;
    let (mut plain, plain_conn) = place.connect("plain").await;
    let (mut fast, fast_conn) = place.connect("fast").await;
    for conn in [&conn, &plain_conn, &fast_conn] {
        conn.subscribe("feed:1").await.unwrap();
    }
    let read = tokio::spawn(async move {
        for n in 0..MANY {
            assert_eq!(fast.expect("NOTE").await["n"], n);
        }
    });
    for n in 0..MANY {
        place.hub.publish("feed:1", note(n, "")).await.unwrap();
        assert!(conn.buffered() <= 256 * 1024 + 512, "{}", conn.buffered());
        // The fast one reads as fast as is published.
        fast_conn.ready().await.unwrap();
    }
    read.await.unwrap();
    assert!(!conn.is_closed() && !plain_conn.is_closed());

    let all = read_until(&mut slow, MANY - 1).await;
    let gaps: Vec<_> = (0..all.len()).filter(|index| all[*index].0 == "$ws:gap").collect();
    let [gap] = gaps[..] else { panic!("one gap: {gaps:?}") };
    let numbers = |part: &[(String, u64)]| part.iter().map(|(_, n)| *n).collect::<Vec<_>>();
    let (before, after) = (numbers(&all[..gap]), numbers(&all[gap + 1..]));
    // Nothing is missing but there.
    assert!(before.iter().copied().eq(0..before.len() as u64));
    assert!(after.windows(2).all(|two| two[0] + 1 == two[1]) && after[0] > before.len() as u64);
    // What comes next does so whole.
    place.hub.publish("feed:1", note(MANY, "")).await.unwrap();
    assert_eq!(read_until(&mut slow, MANY).await, [("NOTE".to_owned(), u64::from(MANY))]);

    let all = read_until(&mut plain, MANY).await;
    assert!(all.len() < MANY as usize && all.iter().all(|(message_type, _)| message_type == "NOTE"));
}

#[tokio::test]
async fn only_the_latest_of_a_key_is_kept() {
    let options = TopicOptions::new().conflate_by(|note: &Note| note.n % 3);
    let mut place = Place::with(Hub::builder().topic("prices", options).build(), config());
    let (mut client, conn) = place.connect("slow").await;
    conn.subscribe("prices").await.unwrap();
    for n in 0..MANY {
        place.hub.publish("prices", note(n, "")).await.unwrap();
    }
    assert!(!conn.is_closed() && conn.buffered() < 4 * 21_000, "{}", conn.buffered());
    conn.send(note(MANY, "")).unwrap();
    let all = read_until(&mut client, MANY).await;
    assert!(all.len() < MANY as usize, "nothing was replaced");
    let numbers: Vec<_> = all.iter().map(|(_, n)| *n).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    let many = u64::from(MANY);
    assert_eq!(numbers[numbers.len() - 4..], [many - 3, many - 2, many - 1, many]);
}

#[tokio::test]
async fn discardable_messages_make_room_for_the_others() {
    let options = TopicOptions::new().slow_consumer(SlowConsumer::DropOldest);
    let mut place = Place::with(Hub::builder().topic("feed:*", options).build(), config());
    let (mut client, conn) = place.connect_as("slow", "", &EXTENDED).await;
    client.expect("$ws:hello").await;
    conn.subscribe_many(["feed:1", "plain"]).await.unwrap();
    for n in 0..MANY {
        place.hub.publish("feed:1", note(n, "")).await.unwrap();
    }
    conn.send(note(MANY, "")).unwrap();
    place.hub.publish("plain", note(MANY + 1, "")).await.unwrap();
    let all = read_until(&mut client, MANY + 1).await;
    assert_eq!(all.iter().filter(|(message_type, _)| message_type == "$ws:gap").count(), 1);
    assert_eq!(all[all.len() - 2].1, u64::from(MANY));
    // Nothing is left of it that could be dropped.
    for n in 0..MANY {
        if conn.send(note(n, "")).is_err() {
            break;
        }
    }
    assert_eq!(client.skip_to_close().await, 4002);
}
