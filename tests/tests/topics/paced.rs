//! Publishing less often than values come.

use std::time::Duration;

use serde_json::json;
use switchboard::{BatchOptions, Hub, PublishErrorKind, TopicOptions, ws_message};

use crate::{Note, Place, notes_until};

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn the_latest_is_published_at_last() {
    let mut place = Place::new(Hub::new());
    let (mut client, conn) = place.connect("ann").await;
    conn.subscribe("t").await.unwrap();
    let throttle = place.hub.topic("t").throttle(Duration::from_millis(5));
    for n in 0..1000 {
        throttle.publish(Note::new(n)).unwrap();
        if n % 10 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let got = notes_until(&mut client, 999).await;
    assert!(got.len() < 500 && got.is_sorted(), "{got:?}");

    // Not before its time, unless it is asked for.
    let throttle = place.hub.topic("t").throttle(LONG);
    throttle.publish(Note::new(1)).unwrap();
    assert!(notes_until(&mut client, 1).await.is_empty());
    for n in 2..5 {
        throttle.publish(Note::new(n)).unwrap();
    }
    throttle.flush().await;
    throttle.flush().await;
    assert!(notes_until(&mut client, 4).await.is_empty());
    // The last one also when nobody is left who could ask.
    throttle.publish(Note::new(5)).unwrap();
    throttle.publish(Note::new(6)).unwrap();
    drop(throttle);
    assert!(notes_until(&mut client, 6).await.is_empty());
}

#[ws_message("NOTES")]
struct Notes {
    #[validate(length(min = 1))]
    numbers: Vec<u32>,
}

#[tokio::test]
async fn items_are_gathered_into_messages() {
    let mut place = Place::new(Hub::builder().topic("odd", TopicOptions::new().allow_names(|_| false)).build());
    let (mut client, conn) = place.connect("ann").await;
    conn.subscribe("t").await.unwrap();
    let make = |numbers| Notes { numbers };
    let numbers = |from: u32, to: u32| json!({ "numbers": (from..to).collect::<Vec<_>>() });

    // So many make a message.
    let batch = place.hub.topic("t").batch(BatchOptions::new().max_items(10).max_delay(LONG), make);
    for n in 0..25 {
        batch.push(n).unwrap();
    }
    for from in [0, 10] {
        assert_eq!(client.expect("NOTES").await, numbers(from, from + 10));
    }
    batch.flush().await;
    assert_eq!(client.expect("NOTES").await, numbers(20, 25));
    batch.push(25).unwrap();
    drop(batch);
    assert_eq!(client.expect("NOTES").await, numbers(25, 26));

    // Or so long.
    let batch = place.hub.topic("t").batch(BatchOptions::new().max_delay(Duration::from_millis(10)), make);
    for round in 0..3 {
        batch.push(round).unwrap();
        assert_eq!(client.expect("NOTES").await, numbers(round, round + 1));
    }

    // What waits is bounded.
    let options = BatchOptions::new().max_items(1000).max_waiting(20).max_delay(LONG);
    let batch = place.hub.topic("t").batch(options, make);
    for n in 0..20 {
        batch.push(n).unwrap();
    }
    let error = batch.push(20).unwrap_err();
    assert_eq!((error.kind(), error.retryable()), (PublishErrorKind::Overloaded, true));
    assert_eq!(client.expect("NOTES").await, numbers(0, 20));

    let odd = place.hub.topic("odd").batch(BatchOptions::new(), make);
    assert_eq!(odd.push(1).unwrap_err().kind(), PublishErrorKind::NotAllowed);
    let throttle = place.hub.topic("t").throttle(LONG);
    assert_eq!(throttle.publish(make(vec![])).unwrap_err().kind(), PublishErrorKind::Invalid);
}
