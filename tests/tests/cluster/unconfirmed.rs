//! Publishes that do not wait for the broker.

use switchboard::{Hub, PublishErrorKind, cluster::ClusterConfig};

use crate::node::{Said, nodes, nodes_with, said, until};

#[tokio::test]
async fn an_unconfirmed_publish_waits_for_nothing_and_keeps_its_place() {
    let [a, b] = nodes().await;
    let mut member = b.member("room:1").await;
    for n in 0..300 {
        let publish = a.hub.publish("room:1", Said { n });
        match n % 3 {
            0 => publish.await.unwrap(),
            1 => publish.unconfirmed().await.unwrap(),
            _ => a.hub.publish_many(["room:1"], Said { n }).unconfirmed().await.unwrap(),
        };
    }
    for n in 0..300 {
        assert_eq!(said(&mut member).await, n);
    }
}

#[tokio::test]
async fn the_queue_of_the_bus_is_bounded_and_its_error_names_the_limit() {
    let [a, b] = nodes_with(|builder| builder.cluster(ClusterConfig::new().max_pending_publishes(8))).await;
    let mut member = b.member("room:1").await;
    // Nothing is awaited, so that the task of the link cannot run on this thread.
    let publish = |n| {
        let publish = std::future::IntoFuture::into_future(a.hub.publish("room:1", Said { n }).unconfirmed());
        futures_util::FutureExt::now_or_never(publish)
    };
    let outcomes: Vec<_> = (0..9).map(publish).collect();
    // Half full, it lets others run before it is ready.
    assert!(outcomes[..4].iter().all(|outcome| matches!(outcome, Some(Ok(_)))), "{outcomes:?}");
    assert!(outcomes[4..8].iter().all(Option::is_none), "{outcomes:?}");
    let error = outcomes[8].as_ref().unwrap().as_ref().unwrap_err();
    assert_eq!((error.kind(), error.retryable()), (PublishErrorKind::Unavailable, true));
    assert_eq!(error.to_string(), "too many publishes wait for the broker (limit 8)");
    for n in 0..8 {
        assert_eq!(said(&mut member).await, n);
    }
}

#[tokio::test]
async fn what_waits_for_the_link_is_bounded_in_bytes_too() {
    let [a, b] = nodes_with(|builder| builder.cluster(ClusterConfig::new().max_output_bytes(1000))).await;
    let mut member = b.member("room:1").await;
    // As above, the task of the link cannot run meanwhile.
    let publish = |n| {
        let publish = std::future::IntoFuture::into_future(a.hub.publish("room:1", Said { n }).unconfirmed());
        futures_util::FutureExt::now_or_never(publish)
    };
    let outcomes: Vec<_> = (0..100).map_while(|n| publish(n).filter(Result::is_ok)).collect();
    let accepted = outcomes.len() as u64;
    assert!((3..20).contains(&accepted), "{accepted}");
    let error = publish(accepted).unwrap().unwrap_err();
    assert_eq!((error.kind(), error.retryable()), (PublishErrorKind::Unavailable, true));
    assert_eq!(error.to_string(), "too many bytes wait for the link to the broker (limit 1000)");
    for n in 0..accepted {
        assert_eq!(said(&mut member).await, n);
    }
    a.hub.publish("room:1", Said { n: 100 }).await.unwrap();
    assert_eq!(said(&mut member).await, 100);
}

#[tokio::test]
async fn a_loop_of_unconfirmed_publishes_lets_the_link_run() {
    let [a, b] = nodes_with(|builder| builder.cluster(ClusterConfig::new().max_pending_publishes(64))).await;
    let mut member = b.member("room:1").await;
    for n in 0..1000 {
        a.hub.publish("room:1", Said { n }).unconfirmed().await.unwrap();
    }
    for n in 0..1000 {
        assert_eq!(said(&mut member).await, n);
    }
}

#[tokio::test]
async fn without_a_link_an_unconfirmed_publish_fails_at_once() {
    let [a, _b] = nodes().await;
    a.broker.cut("pulled the plug");
    let error = a.hub.publish("room:1", Said { n: 1 }).unconfirmed().await.unwrap_err();
    assert_eq!(error.kind(), PublishErrorKind::Unavailable);
}

#[tokio::test]
async fn an_unconfirmed_publish_that_the_broker_does_not_accept_is_counted() {
    let [a, _b] = nodes().await;
    let failed = || a.hub.cluster_stats().unwrap().failed_publishes;
    a.broker.lose_answers(true);
    a.hub.publish("room:1", Said { n: 1 }).unconfirmed().await.unwrap();
    until(async || failed() == 1).await;
}

#[tokio::test]
async fn on_one_node_it_is_an_ordinary_publish() {
    let hub = Hub::new();
    assert_eq!(hub.publish("room:1", Said { n: 1 }).unconfirmed().await.unwrap().count(), Some(0));
}
