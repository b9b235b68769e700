//! Clients that only start handlers which take long.

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use switchboard_tests::client::{Client, masked};
use tokio::{
    io::AsyncWriteExt as _,
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{
    neighbour::Neighbour,
    observer::Observer,
    process::{Mib, Server, on_axum},
};

const ATTACKERS: u64 = 100;

/// Those that end with a reset. The others' end is behind what the server does not read.
const RESET: u64 = ATTACKERS / 2;

/// The connections of the test itself: the neighbour's and the observer's.
const OWN: u64 = 2;

/// How long a reset may take to be noticed where the socket is watched although it is not read.
const SOON: Duration = Duration::from_secs(10);

/// How long it may take where only writing can tell: the ping after 25 s, or what the handler's deadline of 30 s says.
const LATE: Duration = Duration::from_secs(45);

/// While nothing is sent for so long, all inboxes and buffers are full.
const QUIET: Duration = Duration::from_millis(500);

/// Each sends until its inbox is full, then until the kernel takes no more. On axum's transport a full inbox hides the
/// end of the connection until something is written, so there resets are noticed as late as other ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_handlers_behind_full_inboxes_harm_no_neighbour() {
    let server = Server::start().await;
    let mut observer = Observer::connect(&server).await;
    let mut neighbour = Neighbour::start(server.address());
    let alone = neighbour.look(300).await;
    let (memory, sockets) = (server.memory(), server.sockets());

    let sent = Arc::new(AtomicU64::new(0));
    let mut attackers = JoinSet::new();
    for n in 0..ATTACKERS {
        let mut client = server.connect("/ws").await;
        if n < RESET {
            client.ws.get_mut().set_zero_linger().expect("an open socket");
        }
        attackers.spawn(attack(client, Arc::clone(&sent)));
    }
    observer.wait_until(SOON, |seen| seen.running == ATTACKERS).await;
    wait_until_quiet(&sent).await;
    let beside = neighbour.look(1000).await;
    let before = observer.inspect().await;
    assert_eq!((before.running, before.dropped, before.connections), (ATTACKERS, 0, ATTACKERS + OWN));
    assert_eq!(attackers.try_join_next().map(|ended| ended.is_ok()), None, "an attacker was closed");

    let begin = Instant::now();
    attackers.shutdown().await;
    let mut resets = None;
    if !on_axum() {
        let left = ATTACKERS - RESET;
        let seen = observer.wait_until(SOON, |seen| seen.running <= left).await;
        assert!(seen.dropped >= RESET, "{seen:?}");
        resets = Some(begin.elapsed());
    }
    let after = observer.wait_until(LATE, |seen| seen.running == 0 && seen.connections == OWN).await;
    assert!(after.dropped >= ATTACKERS, "{after:?}");
    let all = begin.elapsed();
    server.wait_for_sockets(sockets, SOON).await;
    let then = server.wait_for_memory(memory).await;
    let afterwards = neighbour.look(300).await;
    neighbour.stop();
    eprintln!(
        "sleep only: {} sent; resets noticed in {resets:?}, all ends in {all:.1?}, dropped {}\n  \
         memory {}, at most {}, then {}\n  neighbour alone {alone}\n  beside {beside}\n  afterwards {afterwards}",
        Mib(sent.load(SeqCst)),
        after.dropped,
        Mib(memory),
        Mib(server.peak()),
        Mib(then)
    );
    beside.assert_patient();
    server.stop().await;
}

/// Sends requests and reads nothing, without an end.
async fn attack(mut client: Client, sent: Arc<AtomicU64>) {
    let mut text = String::new();
    for n in 0_u64.. {
        text.clear();
        write!(text, r#"{{"type":"SLEEP","meta":{{"correlationId":"{n}"}},"payload":{{"ms":60000}}}}"#)
            .expect("a string takes all");
        let frame = masked(0x81, text.as_bytes());
        client.ws.get_mut().write_all(&frame).await.expect("an open connection");
        sent.fetch_add(frame.len() as u64, SeqCst);
    }
}

async fn wait_until_quiet(sent: &AtomicU64) {
    let begin = Instant::now();
    let mut last = (sent.load(SeqCst), Instant::now());
    while last.1.elapsed() < QUIET {
        assert!(begin.elapsed() < SOON, "the server takes more and more: {}", Mib(last.0));
        sleep(Duration::from_millis(20)).await;
        let now = sent.load(SeqCst);
        if now != last.0 {
            last = (now, Instant::now());
        }
    }
}
