use proptest::prelude::*;

use super::*;

fn store(total: (usize, usize), own: (usize, usize, usize)) -> Store {
    let config = Config::new().idempotency(total.0, total.1, Duration::from_secs(60));
    Store::new(&config.idempotency_per_user(own.0, own.1, own.2))
}

fn user(name: &str) -> Owner {
    Owner::User(name.into())
}

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey { message_type: "A", key: text.into() }
}

fn outcome(len: usize) -> Option<Arc<Outcome>> {
    Some(Arc::new(Outcome { message_type: "B".into(), payload: Some("x".repeat(len).into()) }))
}

/// Returns `false` if the key was known already.
fn handle(store: &mut Store, owner: &Owner, text: &str, len: usize) -> bool {
    match store.begin(owner, &key(text), 1) {
        Found::New(_) => {
            store.remember(owner, &key(text), outcome(len));
            true
        }
        Found::Done(_) => false,
        found => panic!("{found:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_owner_above_its_share_loses_its_own_oldest_result() {
    let mut store = store((1000, 1 << 20), (3, 1 << 20, 8));
    assert!(handle(&mut store, &user("ann"), "k", 10));
    for n in 0..500 {
        assert!(handle(&mut store, &user("eve"), &n.to_string(), 10));
    }
    assert!(!handle(&mut store, &user("ann"), "k", 10));
    for (n, known) in [("496", false), ("497", true), ("498", true), ("499", true)] {
        assert_eq!(matches!(store.begin(&user("eve"), &key(n), 1), Found::Done(_)), known, "{n}");
    }
    assert_eq!(store.counts().1, 4);
}

#[test]
fn bytes_are_limited_per_owner_and_in_total() {
    let mut store = store((1000, 30_000), (1000, 10_000, 8));
    assert!(handle(&mut store, &user("ann"), "k", 4000));
    for owner in ["eve", "mallory", "oscar", "trudy"].map(user) {
        for n in 0..10 {
            assert!(handle(&mut store, &owner, &n.to_string(), 4000));
        }
        assert!(store.counts().2 <= 30_000);
    }
    assert!(!handle(&mut store, &user("ann"), "k", 4000));
    // Larger than the owner's limit: handled, but not remembered.
    assert!(handle(&mut store, &user("bob"), "k", 20_000));
    assert!(handle(&mut store, &user("bob"), "k", 20_000));
}

#[test]
fn the_owner_with_the_most_results_is_evicted_first() {
    let mut store = store((100, 1 << 20), (60, 1 << 20, 8));
    for n in 0..5 {
        assert!(handle(&mut store, &user("ann"), &n.to_string(), 10));
    }
    for eve in 0..15 {
        for n in 0..60 {
            assert!(handle(&mut store, &user(&eve.to_string()), &n.to_string(), 10));
        }
    }
    assert_eq!(store.counts().1, 100);
    for n in 0..5 {
        assert!(!handle(&mut store, &user("ann"), &n.to_string(), 10), "{n}");
    }
}

#[test]
fn running_requests_are_limited_per_owner_and_evict_nothing() {
    let mut store = store((2, 1 << 20), (2, 1 << 20, 3));
    for eve in 0..64 {
        for n in 0..4 {
            let found = store.begin(&user(&eve.to_string()), &key(&n.to_string()), 1);
            assert!(if n < 3 { matches!(found, Found::New(_)) } else { matches!(found, Found::TooMany(3)) });
        }
    }
    assert!(handle(&mut store, &user("ann"), "k", 10) && !handle(&mut store, &user("ann"), "k", 10));
    // A retry of a running handler does not count as another one.
    assert!(matches!(store.begin(&user("0"), &key("0"), 1), Found::Running(_)));
    assert!(matches!(store.begin(&user("0"), &key("0"), 2), Found::OtherPayload));
    store.forget(&user("0"), &key("0"));
    assert!(matches!(store.begin(&user("0"), &key("9"), 1), Found::New(_)));
    assert_eq!(store.counts().0, 65);
}

#[tokio::test(start_paused = true)]
async fn old_results_and_those_of_ended_connections_are_forgotten() {
    let mut store = store((1000, 1 << 20), (100, 1 << 20, 8));
    let connection = Owner::Connection(ConnId::new());
    assert!(handle(&mut store, &connection, "k", 10));
    assert!(matches!(store.begin(&connection, &key("runs"), 1), Found::New(_)));
    store.forget_owner(&connection);
    assert_eq!(store.counts(), (0, 0, 0));
    // Its handler completes, and its result is not stored.
    store.remember(&connection, &key("runs"), outcome(10));
    store.forget(&connection, &key("runs"));
    assert_eq!(store.counts(), (0, 0, 0));
    for n in 0..50 {
        assert!(
            handle(&mut store, &user("ann"), &n.to_string(), 10) && handle(&mut store, &user(&n.to_string()), "k", 1)
        );
    }
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(matches!(store.begin(&user("ann"), &key("49"), 1), Found::New(_)));
    store.forget(&user("ann"), &key("49"));
    for _ in 0..50usize.div_ceil(MAX_EXPIRED_AT_ONCE) {
        assert!(matches!(store.begin(&user("bob"), &key("k"), 1), Found::New(_)));
        store.forget(&user("bob"), &key("k"));
    }
    assert_eq!(store.counts(), (0, 0, 0));
    assert!(store.owners.capacity() < 50);
}

proptest! {
    /// An owner that never has more than the others loses no result to them.
    #[test]
    fn the_owner_with_the_fewest_results_keeps_all(
        messages in prop::collection::vec((0u8..12, any::<u16>(), 0usize..300), 1..400),
    ) {
        let mut store = store((50, 40_000), (20, 15_000, 8));
        for n in 0..3 {
            prop_assert!(handle(&mut store, &user("ann"), &n.to_string(), 10));
        }
        for (owner, text, len) in messages {
            handle(&mut store, &user(&owner.to_string()), &text.to_string(), len);
            let (_, results, bytes) = store.counts();
            prop_assert!(results <= 50 && bytes <= 40_000);
        }
        for n in 0..3 {
            prop_assert!(!handle(&mut store, &user("ann"), &n.to_string(), 10));
        }
    }
}
