use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, sleep_until};

use super::{Buffer, Coalesced, Pace};
use crate::{
    BatchOptions, Hub,
    conn::AnyConn,
    hub::testing::{join, member, received},
    ws_message,
};

#[ws_message("N", crate = crate)]
struct N {
    n: Vec<u32>,
}

fn one(n: u32) -> N {
    N { n: vec![n] }
}

const MS: Duration = Duration::from_millis(1);

fn hub_and_member() -> (Hub, Arc<AnyConn>) {
    let hub = Hub::new();
    let member = member(&hub);
    join(&hub, &member, "t", None);
    (hub, member)
}

/// Takes what was received since the last call, as `1` or `1,2`.
fn came(conn: &AnyConn) -> Vec<String> {
    let numbers = |text: String| text.split(['[', ']']).nth(1).unwrap().to_owned();
    received(conn).into_iter().map(numbers).collect()
}

#[tokio::test(start_paused = true)]
async fn at_most_one_per_interval_and_the_latest_at_the_end() {
    let (hub, member) = hub_and_member();
    let throttle = hub.topic("t").throttle(100 * MS);
    let start = Instant::now();
    // A value each 10 ms from 0 to 990.
    for n in 0..100 {
        sleep_until(start + n * 10 * MS).await;
        throttle.publish(one(n)).unwrap();
    }
    sleep(1000 * MS).await;
    let numbers: Vec<u32> = came(&member).iter().map(|n| n.parse().unwrap()).collect();
    assert_eq!((numbers.len(), numbers[0], numbers[10]), (11, 0, 99), "{numbers:?}");
    // After a pause, the next is published at once, and its pause is kept.
    throttle.publish(one(1)).unwrap();
    sleep(MS).await;
    throttle.publish(one(2)).unwrap();
    sleep(98 * MS).await;
    assert_eq!(came(&member), ["1"]);
    sleep(2 * MS).await;
    assert_eq!(came(&member), ["2"]);
}

#[tokio::test(start_paused = true)]
async fn items_wait_for_others_up_to_the_delay() {
    let (hub, member) = hub_and_member();
    let batch = hub.topic("t").batch(BatchOptions::new().max_items(3).max_delay(50 * MS), |n| N { n });
    for n in 0..7 {
        batch.push(n).unwrap();
    }
    sleep(MS).await;
    assert_eq!(came(&member), ["0,1,2", "3,4,5"]);
    sleep(50 * MS).await;
    assert_eq!(came(&member), ["6"]);
    // The delay begins with the first item.
    for n in 0..2 {
        batch.push(n).unwrap();
        sleep(30 * MS).await;
    }
    assert_eq!(came(&member), ["0,1"]);
    // Without items, nothing is published.
    batch.flush().await;
    sleep(1000 * MS).await;
    assert!(came(&member).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_flush_waits_for_earlier_values_and_leaves_no_task() {
    let (hub, member) = hub_and_member();
    let start = Instant::now();
    let (batch, throttle) = (
        hub.topic("t").batch(BatchOptions::new().max_items(2).max_delay(Duration::MAX), |n| N { n }),
        hub.topic("t").throttle(Duration::MAX),
    );
    for n in 0..5 {
        batch.push(n).unwrap();
    }
    batch.flush().await;
    assert_eq!(came(&member), ["0,1", "2,3", "4"]);
    for n in 0..5 {
        throttle.publish(one(n)).unwrap();
    }
    throttle.flush().await;
    assert_eq!(came(&member).last().unwrap(), "4");
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[test]
fn without_a_runtime_a_flush_publishes() {
    let (hub, member) = hub_and_member();
    let throttle = hub.topic("t").throttle(MS);
    throttle.publish(one(1)).unwrap();
    throttle.publish(one(2)).unwrap();
    assert!(came(&member).is_empty());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(throttle.flush());
    assert_eq!(came(&member), ["2"]);
}

#[tokio::test(start_paused = true)]
async fn a_flush_completes_if_making_the_message_panics() {
    fn panics(items: Vec<u32>) -> N {
        assert!(items != [1], "broken");
        N { n: items }
    }
    let (hub, member) = hub_and_member();
    let batch = hub.topic("t").batch(BatchOptions::new(), panics);
    batch.push(1).unwrap();
    batch.flush().await;
    batch.push(2).unwrap();
    batch.flush().await;
    assert_eq!(came(&member), ["2"]);
}

/// Two values to a message.
struct Pairs(Vec<u32>);

impl Buffer for Pairs {
    type Taken = Vec<u32>;

    fn is_full(&self) -> bool {
        self.0.len() >= 2
    }

    fn take(&mut self) -> Option<Vec<u32>> {
        let now: Vec<_> = self.0.drain(..self.0.len().min(2)).collect();
        (!now.is_empty()).then_some(now)
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// Without a runtime, so that nothing is published meanwhile.
#[test]
fn values_beyond_one_message_are_not_settled_with_it() {
    let pairs = Coalesced::new(&Hub::new(), "t", Pace::Delay(MS), Pairs(Vec::new()), Box::new(|n| N { n }));
    for n in 0..5 {
        let push = |buffer: &mut Pairs| {
            buffer.0.push(n);
            Ok::<_, ()>(())
        };
        pairs.add(push).unwrap();
    }
    assert_eq!(pairs.take(), (Some(vec![0, 1]), 2));
    assert_eq!(pairs.take(), (Some(vec![2, 3]), 4));
    assert_eq!(pairs.take(), (Some(vec![4]), 5));
    assert_eq!(pairs.take(), (None, 5));
}
