//! Clients whose network goes away under them.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    namespace::{Client, STAYING, VANISHING, lose_packets, start_server},
    neighbour::Neighbour,
    observer::Inspected,
    process::Mib,
};

const AUTH: &str = r#"{"type":"AUTH","payload":{"token":"alice"}}"#;
const SLEEP: &str = r#"{"type":"SLEEP","meta":{"correlationId":"s"},"payload":{"ms":60000}}"#;
const INSPECT: &str = r#"{"type":"INSPECT","meta":{"correlationId":"i"},"payload":{}}"#;

/// A ping each second, a second for the pong, two for the answer to the close frame; the rest is for a slow machine.
const GONE: Duration = Duration::from_secs(15);

/// No packet of theirs gets through any more, not even that the clients have ended: only the missing pongs tell. The
/// neighbour notices nothing.
#[tokio::test]
async fn a_client_that_vanishes_without_fin_is_removed() {
    let server = start_server().await;
    let mut neighbour = Neighbour::start_in_network_of(server.pid(), server.address());
    let alone = neighbour.look(300).await;
    let (memory, sockets) = (server.memory(), server.sockets());
    let mut idle = Client::start(&server, VANISHING, "/limited", &[AUTH]);
    assert_eq!(idle.recv().await["type"], "AUTHED");
    let mut busy = Client::start(&server, VANISHING, "/limited", &[AUTH, SLEEP, INSPECT]);
    assert_eq!(busy.recv().await["type"], "AUTHED");
    let seen = Inspected::of(&busy.recv().await);
    assert_eq!((seen.running, seen.dropped, seen.connections), (1, 0, 3));
    assert_eq!(server.sockets(), sockets + 2);

    lose_packets(&server).await;
    let begin = Instant::now();
    idle.kill().await;
    busy.kill().await;
    assert_eq!(server.sockets(), sockets + 2, "the server cannot know yet");
    server.wait_for_sockets(sockets, GONE).await;
    let gone = begin.elapsed();
    let beside = neighbour.look(100).await;
    let mut fresh = Client::start(&server, STAYING, "/ws", &[INSPECT]);
    let seen = Inspected::of(&fresh.recv().await);
    assert_eq!((seen.running, seen.dropped, seen.connections), (0, 1, 2));
    fresh.kill().await;
    let then = server.wait_for_memory(memory).await;
    neighbour.stop();
    eprintln!(
        "vanishes: both sockets closed in {gone:.1?}\n  memory {}, then {}\n  neighbour alone {alone}\n  beside {beside}",
        Mib(memory),
        Mib(then)
    );
    beside.assert_patient();
    server.stop().await;
}
