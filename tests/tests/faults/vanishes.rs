//! Clients whose network goes away under them.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    namespace::{Client, set_link, start_server},
    observer::Inspected,
};

const AUTH: &str = r#"{"type":"AUTH","payload":{"token":"alice"}}"#;
const SLEEP: &str = r#"{"type":"SLEEP","meta":{"correlationId":"s"},"payload":{"ms":60000}}"#;
const INSPECT: &str = r#"{"type":"INSPECT","meta":{"correlationId":"i"},"payload":{}}"#;

/// A ping each second, a second for the pong, two for the answer to the close frame; the rest is for a slow machine.
const GONE: Duration = Duration::from_secs(15);

/// No packet gets through any more, not even that the clients have ended: only the missing pongs tell.
#[tokio::test]
async fn fault_20_52_vanishes_without_fin() {
    let server = start_server().await;
    let sockets = server.sockets();
    let mut idle = Client::start(&server, "/limited", &[AUTH]);
    assert_eq!(idle.recv().await["type"], "AUTHED");
    let mut busy = Client::start(&server, "/limited", &[AUTH, SLEEP, INSPECT]);
    assert_eq!(busy.recv().await["type"], "AUTHED");
    let seen = Inspected::of(&busy.recv().await);
    assert_eq!((seen.running, seen.dropped, seen.connections), (1, 0, 2));
    assert_eq!(server.sockets(), sockets + 2);

    set_link(&server, "down").await;
    let begin = Instant::now();
    idle.kill().await;
    busy.kill().await;
    assert_eq!(server.sockets(), sockets + 2, "the server cannot know yet");
    server.wait_for_sockets(sockets, GONE).await;
    let gone = begin.elapsed();

    set_link(&server, "up").await;
    let mut fresh = Client::start(&server, "/ws", &[INSPECT]);
    let seen = Inspected::of(&fresh.recv().await);
    assert_eq!((seen.running, seen.connections), (0, 1), "{seen:?}");
    assert!(seen.dropped >= 1, "{seen:?}");
    eprintln!("vanishes: both sockets closed in {gone:.1?}");
    fresh.kill().await;
    server.stop().await;
}
