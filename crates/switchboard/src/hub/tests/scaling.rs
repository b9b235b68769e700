//! Work that takes linear time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    BatchOptions, Config, Conn, WsError,
    conn::{AnyConn, ConnId},
    hub::{Hub, TopicOptions, registry::Registry, testing::conn},
    ws_message,
};

const FEW: usize = 400;
const MANY: usize = 10 * FEW;

/// Asserts that ten times the input takes about ten times as long. Tried several times, since the
/// machine may be busy; quadratic work would take a hundred times as long each time.
fn assert_linear(what: &str, mut work: impl FnMut(usize) -> Duration) {
    let mut ratio = f64::MAX;
    for _ in 0..10 {
        let (few, many) = (work(FEW), work(MANY));
        ratio = ratio.min(many.as_secs_f64() / few.as_secs_f64().max(1e-9));
        if ratio < 20.0 {
            return;
        }
    }
    panic!("{what}: ten times as much takes {ratio} times as long");
}

fn timed(work: impl Future<Output = ()>) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let begin = Instant::now();
        work.await;
        begin.elapsed()
    })
}

fn names(count: usize, from: usize) -> Vec<String> {
    (from..from + count).map(|n| format!("room:{n}")).collect()
}

/// A connection to a hub with a rule that limits and one that authorises.
fn limited(count: usize) -> (Conn, Arc<AnyConn>) {
    let asked = TopicOptions::new().max_per_connection(count).authorize_subscribe(async |_, _| Ok::<_, WsError>(()));
    let hub = Hub::builder()
        .topic("room:*", TopicOptions::new().max_per_connection(2 * count).max_members(10))
        .topic("asked:*", asked)
        .build();
    conn(&hub, Config::new().max_subscriptions(2 * count))
}

#[test]
fn attack_a3_sets_of_topics_are_changed_in_linear_time() {
    assert_linear("set_topics", |count| {
        let (conn, _inner) = limited(count);
        timed(async {
            // No topic stays, half of them, all of them.
            for from in [0, count / 2, count / 2] {
                conn.set_topics(names(count, from)).await.unwrap();
            }
            assert_eq!(conn.clear_topics().await.unwrap().left.len(), count);
        })
    });
    assert_linear("subscribe_many, unsubscribe_many", |count| {
        let (conn, _inner) = limited(count);
        timed(async {
            conn.subscribe_many(names(count, 0)).await.unwrap();
            conn.subscribe_many(names(count, count / 2)).await.unwrap();
            assert_eq!(conn.unsubscribe_many(names(count, 0)).await.unwrap().left.len(), count);
            assert_eq!(conn.topics().len(), count / 2);
        })
    });
    assert_linear("refused by the limit", |count| {
        let (conn, _inner) = limited(count / 4);
        timed(async {
            conn.subscribe_many(names(count / 2, 0)).await.unwrap();
            conn.subscribe_many(names(count / 2, 1)).await.unwrap_err();
        })
    });
}

#[test]
fn the_cost_of_one_subscription_does_not_grow_with_their_number() {
    assert_linear("subscribe, is_subscribed, unsubscribe", |count| {
        let (conn, _inner) = limited(count);
        timed(async {
            for name in names(count, 0) {
                assert!(conn.subscribe(&name).await.unwrap());
                assert!(conn.is_subscribed(&name));
            }
            for name in names(count, 0) {
                assert!(conn.unsubscribe(&name).await.unwrap());
            }
        })
    });
}

#[test]
fn authorised_sets_are_changed_in_linear_time() {
    assert_linear("set_topics with a rule that is asked", |count| {
        let (conn, inner) = limited(count);
        let names: Vec<String> = (0..count).map(|n| format!("asked:{n}")).collect();
        let removed = names[..count / 2].to_vec();
        timed(async {
            conn.set_topics(&names).await.unwrap();
            // Removed one by one, as the application does.
            assert!(removed.iter().all(|name| inner.hub().remove(&*inner, name)));
            conn.set_topics(&names).await.unwrap();
            inner.hub().leave_all(&*inner);
        })
    });
}

#[tokio::test]
async fn changing_an_authorised_set_yields_to_other_tasks() {
    let (conn, _) = limited(MANY);
    let names: Vec<String> = (0..MANY).map(|n| format!("asked:{n}")).collect();
    let set = async { conn.set_topics(&names).await.unwrap() };
    let mut turns = 0_usize;
    let others = async {
        loop {
            tokio::task::yield_now().await;
            turns += 1;
        }
    };
    tokio::select! {
        biased;
        _ = set => {}
        () = others => {}
    }
    assert!(turns >= 10, "{turns}");
}

#[test]
fn subscribers_leave_in_linear_time() {
    assert_linear("members that leave at once", |count| {
        let hub = Hub::new();
        let members: Vec<_> = (0..count).map(|_| conn(&hub, Config::new())).collect();
        timed(async {
            for (conn, _) in &members {
                conn.subscribe("t").await.unwrap();
            }
            members.iter().for_each(|(_, inner)| hub.disconnected(&**inner));
            assert_eq!(hub.stats().topics, 0);
        })
    });
    assert_linear("reauthorize_topic", |count| {
        let open = Arc::new(std::sync::atomic::AtomicBool::new(true));
        let is_open = Arc::clone(&open);
        let rule = async move |_, _: Arc<str>| {
            if is_open.load(std::sync::atomic::Ordering::Relaxed) {
                Ok(())
            } else {
                Err(WsError::permission_denied("no"))
            }
        };
        let hub = Hub::builder().topic("t", TopicOptions::new().authorize_subscribe(rule)).build();
        let members: Vec<_> = (0..count).map(|_| conn(&hub, Config::new())).collect();
        timed(async {
            for (conn, _) in &members {
                conn.subscribe("t").await.unwrap();
            }
            open.store(false, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(hub.topic("t").reauthorize().await, count);
        })
    });
}

#[test]
fn connections_of_one_user_are_removed_in_linear_time() {
    assert_linear("one user's connections", |count| {
        let count = 10 * count;
        let (mut registry, user) = (Registry::default(), Arc::<str>::from("ann"));
        let ids: Vec<ConnId> = (0..count).map(|_| ConnId::new()).collect();
        let begin = Instant::now();
        for id in &ids {
            registry.add_user(&user, *id, Some(count), 0).unwrap();
        }
        // From both ends of the list.
        for (one, other) in ids.iter().zip(ids.iter().rev()).take(count / 2) {
            registry.remove_user(&user, *one).unwrap();
            registry.remove_user(&user, *other).unwrap();
        }
        assert!(!registry.is_online(&user));
        begin.elapsed()
    });
}

#[ws_message("ITEMS", crate = crate)]
struct Items {
    count: usize,
}

#[test]
fn batches_are_flushed_in_linear_time() {
    assert_linear("a batch that is full", |count| {
        let hub = Hub::new();
        timed(async {
            let options = BatchOptions::new().max_items(1).max_waiting(count).max_delay(Duration::from_secs(3600));
            // Large items, so that moving them takes measurable time.
            let batch = hub.topic("t").batch(options, |items: Vec<[u64; 128]>| Items { count: items.len() });
            (0..count).for_each(|_| batch.push([0; 128]).unwrap());
            batch.flush().await;
        })
    });
}

#[test]
fn the_cost_of_finding_a_rule_does_not_grow_with_their_number() {
    assert_linear("a rule for each topic", |count| {
        let rules = (0..count)
            .fold(Hub::builder(), |hub, n| hub.topic(format!("room:{n}"), TopicOptions::new().max_members(1)));
        let hub = rules.build();
        let (conn, _inner) = conn(&hub, Config::new().max_subscriptions(count));
        timed(async {
            assert_eq!(conn.set_topics(names(count, 0)).await.unwrap().joined.len(), count);
            for name in names(count, 0) {
                hub.publish(name, Items { count: 1 }).await.unwrap();
            }
        })
    });
}

#[test]
fn connections_are_drained_in_linear_time() {
    assert_linear("drain", |count| {
        let hub = Hub::new();
        let config = || Config::new().close_timeout(Duration::ZERO).write_timeout(Duration::ZERO);
        for _ in 0..count {
            hub.0.registry.lock().insert(conn(&hub, config()).1);
        }
        timed(async {
            // The clock jumps to the next timer, so only work takes time.
            tokio::time::pause();
            hub.drain(Duration::from_secs(60)).grace(Duration::ZERO).await;
        })
    });
}
