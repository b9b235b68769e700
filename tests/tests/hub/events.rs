//! Who comes and goes.

use std::collections::HashMap;

use switchboard::{Hub, UserEvent};
use tokio::task::JoinSet;

use crate::{connect, serve, until};

#[tokio::test]
async fn a_reader_that_is_too_slow_is_told_what_it_missed() {
    let hub = Hub::builder().max_queued_user_events(2).build();
    let server = serve(&hub);
    let mut events = hub.user_events();
    let mut clients = Vec::new();
    for user in ["a", "b", "c", "d", "e"] {
        clients.push(connect(&server, user).await);
    }
    assert!(matches!(events.next().await, Some(UserEvent::Missed { count: 3, .. })));
    for expected in ["d", "e"] {
        assert!(matches!(events.next().await, Some(UserEvent::Online { user, .. }) if &*user == expected));
    }
    // It can look who is there.
    assert_eq!(hub.local_users().len(), 5);
}

#[tokio::test]
async fn events_end_with_the_hub() {
    let hub = Hub::new();
    let mut events = hub.user_events();
    drop(hub);
    assert_eq!(events.next().await, None);
}

/// Each event fits to those before it, whatever comes and goes at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_come_in_the_order_of_the_changes() {
    let hub = Hub::new();
    let server = std::sync::Arc::new(serve(&hub));
    let mut events = hub.user_events();
    let mut clients = JoinSet::new();
    for client in 0..20 {
        let server = std::sync::Arc::clone(&server);
        clients.spawn(async move {
            for _ in 0..10 {
                let mut client = connect(&server, if client % 2 == 0 { "ann" } else { "bob" }).await;
                assert_eq!(client.close(1000).await, 1000);
            }
        });
    }
    clients.join_all().await;
    until(|| hub.stats().users == 0).await;
    let mut devices: HashMap<std::sync::Arc<str>, usize> = HashMap::new();
    for _ in 0..400 {
        match events.next().await.unwrap() {
            UserEvent::Online { user, .. } => assert_eq!(devices.insert(user, 1).unwrap_or(0), 0),
            UserEvent::ConnectionAdded { user, .. } => {
                let count = devices.get_mut(&user).unwrap();
                assert!(*count > 0);
                *count += 1;
            }
            UserEvent::ConnectionEnded { user, .. } => {
                let count = devices.get_mut(&user).unwrap();
                *count -= 1;
                assert!(*count > 0);
            }
            UserEvent::Offline { user, .. } => assert_eq!(devices.insert(user, 0), Some(1)),
            other => assert_eq!(Some(other), None),
        }
    }
    assert!(devices.values().all(|count| *count == 0));
}
