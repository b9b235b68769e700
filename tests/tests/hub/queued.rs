//! How much may wait for all connections together.

use axum::Router;
use switchboard::{Config, ConnRef, Hub, SendErrorKind, ws_message};
use switchboard_tests::{
    client::{Client, PATIENCE, Server},
    serve::ws_route,
};

use crate::{connected, join_topic, router, until};

const MIB: usize = 1024 * 1024;

#[ws_message("BULK")]
struct Bulk {
    text: String,
}

impl Bulk {
    const SIZE: usize = MIB / 4;

    fn new() -> Self {
        Self { text: "x".repeat(Self::SIZE) }
    }
}

/// Each connection alone may have as much as it takes.
fn serve(hub: &Hub) -> Server {
    let config = Config::new().max_outbound_bytes(1024 * MIB);
    Server::start(Router::new().route("/ws", ws_route(router(hub).config(config))))
}

async fn others_run() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

/// Sends until so much waits because the client does not read. How many messages.
async fn fill(conn: &ConnRef, bytes: usize) -> usize {
    let fill = async {
        let mut count = 0;
        loop {
            others_run().await;
            if conn.buffered() >= bytes {
                return count;
            }
            conn.send(Bulk::new()).unwrap();
            count += 1;
        }
    };
    tokio::time::timeout(PATIENCE, fill).await.unwrap()
}

async fn read(client: &mut Client, count: usize) {
    for _ in 0..count {
        client.expect("BULK").await;
    }
}

#[tokio::test]
async fn the_slowest_is_closed_first_and_others_get_all() {
    let hub = Hub::builder().max_queued_bytes(8 * MIB).build();
    let server = serve(&hub);
    // The second time, too.
    for closed in 1..=2 {
        let ((mut slow, one), (mut behind, two)) = (connected(&server, &hub).await, connected(&server, &hub).await);
        fill(&one, 4 * MIB).await;
        let mut sent = fill(&two, MIB).await;
        assert!(!one.is_closed() && !two.is_closed());
        assert!((5 * MIB..6 * MIB).contains(&hub.stats().queued_bytes), "{:?}", hub.stats());
        // What comes now is for the other one.
        let more = async {
            while !one.is_closed() {
                two.send(Bulk::new()).unwrap();
                sent += 1;
                assert!(hub.stats().queued_bytes <= 8 * MIB);
                others_run().await;
            }
        };
        tokio::time::timeout(PATIENCE, more).await.unwrap();
        assert!(!two.is_closed() && two.buffered() < 4 * MIB, "{}", two.buffered());
        assert_eq!(slow.skip_to_close().await, 4002);
        read(&mut behind, sent).await;
        until(|| hub.stats().queued_bytes == 0).await;
        assert_eq!(hub.stats().slow_consumers, closed);
    }
}

#[tokio::test]
async fn at_the_limit_whoever_is_to_get_more_is_closed_at_once() {
    let hub = Hub::builder().max_queued_bytes(4 * MIB).build();
    let server = serve(&hub);
    let ((mut one, first), (mut two, second)) = (connected(&server, &hub).await, connected(&server, &hub).await);
    let sent = fill(&first, 2 * MIB).await;
    fill(&second, MIB / 2).await;
    // Nobody else runs meanwhile: nothing can be closed first.
    let error = (0..100).find_map(|_| {
        assert!(hub.stats().queued_bytes <= 4 * MIB);
        second.send(Bulk::new()).err()
    });
    assert_eq!(error.unwrap().kind(), SendErrorKind::Closed);
    assert!(!first.is_closed() && hub.stats().queued_bytes <= 3 * MIB, "{:?}", hub.stats());
    assert_eq!(two.skip_to_close().await, 4002);
    read(&mut one, sent).await;
}

#[tokio::test]
async fn a_publish_to_a_slow_member_changes_nothing_for_the_others() {
    let hub = Hub::builder().max_queued_bytes(8 * MIB).build();
    let server = serve(&hub);
    let ((mut slow, conn), (mut fast, _)) = (connected(&server, &hub).await, connected(&server, &hub).await);
    for client in [&mut slow, &mut fast] {
        join_topic(client, "bulk").await;
    }
    let publish = async {
        while !conn.is_closed() {
            hub.publish("bulk", Bulk::new()).await.unwrap();
            fast.expect("BULK").await;
        }
    };
    tokio::time::timeout(PATIENCE, publish).await.unwrap();
    assert_eq!(slow.skip_to_close().await, 4002);
    hub.publish("bulk", Bulk::new()).await.unwrap();
    fast.expect("BULK").await;
    until(|| hub.stats().queued_bytes == 0).await;
}

#[tokio::test]
async fn without_a_limit_what_waits_is_counted_all_the_same() {
    let hub = Hub::new();
    let server = serve(&hub);
    let (mut client, conn) = connected(&server, &hub).await;
    let sent = fill(&conn, MIB).await;
    let (queued, buffered) = (hub.stats().queued_bytes, conn.buffered());
    assert!(queued.abs_diff(buffered) <= 16 * 1024, "{queued} of {buffered}");
    read(&mut client, sent).await;
    until(|| hub.stats().queued_bytes == 0).await;
    // A client that vanishes takes it along.
    fill(&conn, MIB).await;
    drop(client);
    until(|| hub.stats().queued_bytes == 0).await;
}

/// Without a setting there is a limit, too. What all get is kept once, so this takes little memory.
#[tokio::test]
async fn attack_b18_queued_bytes_are_limited_by_default() {
    let hub = Hub::new();
    let server = serve(&hub);
    let mut slow = Vec::new();
    for _ in 0..64 {
        let mut client = server.connect("/ws").await;
        join_topic(&mut client, "bulk").await;
        slow.push(client);
    }
    let mut most = 0;
    let publish = async {
        while hub.stats().slow_consumers == 0 {
            hub.publish("bulk", Bulk::new()).await.unwrap();
            most = most.max(hub.stats().queued_bytes);
            others_run().await;
        }
    };
    tokio::time::timeout(PATIENCE, publish).await.unwrap();
    assert!((192 * MIB..=256 * MIB).contains(&most), "{most}");
    // The slowest go until half is left.
    until(|| hub.stats().queued_bytes <= 128 * MIB).await;
    assert!(hub.stats().slow_consumers < 64, "{:?}", hub.stats());
}
