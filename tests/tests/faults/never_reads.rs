//! Clients that take nothing of what they asked for, or next to nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use serde_json::json;
use switchboard_tests::client::Client;
use tokio::{
    io::AsyncReadExt as _,
    task::JoinSet,
    time::{Instant, interval},
};

use super::{
    neighbour::Neighbour,
    observer::Observer,
    process::{Mib, Server},
};

/// On each of the two routes.
const ATTACKERS: u64 = 10;

/// The connections of the test itself: the neighbour's and the observer's.
const OWN: u64 = 2;

/// How long it may take until all are closed: 3 or 6 s for the handler to give up, 3 s to write the rest.
const GONE: Duration = Duration::from_secs(30);

/// No client is closed as soon as this.
const FAIR: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_readers_are_closed_and_their_neighbours_unharmed() {
    let server = Server::start().await;
    let mut observer = Observer::connect(&server).await;
    let mut neighbour = Neighbour::start(server.address());
    let alone = neighbour.look(300).await;
    let (memory, sockets) = (server.memory(), server.sockets());

    let bytes = Arc::new(AtomicUsize::new(0));
    let (mut never, mut slow) = (Vec::new(), JoinSet::new());
    for path in ["/ws", "/limited"] {
        for _ in 0..=ATTACKERS {
            never.push(known(&server, path).await);
        }
    }
    let all = 2 * (ATTACKERS + 1) + OWN;
    assert_eq!(observer.inspect().await.connections, all);
    // All are there before the first asks for too much, which is closed soon after.
    let begin = Instant::now();
    for client in &mut never {
        ask(client).await;
    }
    // One of each route.
    let readers = [never.remove(0), never.pop().expect("as many as connected")];
    for reader in readers {
        slow.spawn(read_slowly(reader, Arc::clone(&bytes)));
    }
    observer.wait_until(GONE, |seen| seen.connections < all).await;
    let first = begin.elapsed();
    observer.wait_until(GONE, |seen| seen.running == 0 && seen.connections == OWN).await;
    let last = begin.elapsed();
    server.wait_for_sockets(sockets, GONE).await;
    assert!(first >= FAIR, "closed after {first:?}");
    let read = bytes.load(SeqCst);
    assert!(read > 0, "nobody read slowly");
    let beside = neighbour.look(100).await;
    let then = server.wait_for_memory(memory).await;
    let afterwards = neighbour.look(300).await;
    neighbour.stop();
    eprintln!(
        "never reads: the first closed in {first:.1?}, the last in {last:.1?}; {read} bytes read slowly\n  \
         memory {}, at most {}, then {}\n  neighbour alone {alone}\n  beside {beside}\n  afterwards {afterwards}",
        Mib(memory),
        Mib(server.peak()),
        Mib(then)
    );
    beside.assert_patient();
    drop(never);
    server.stop().await;
}

/// Those above never see why they are closed.
#[tokio::test]
async fn a_reader_that_resumes_is_told_4002() {
    tokio::join!(reads_again("/ws"), reads_again("/limited"));
}

async fn reads_again(path: &str) {
    let server = Server::start().await;
    let mut observer = Observer::connect(&server).await;
    let mut client = attacker(&server, path).await;
    observer.wait_until(GONE, |seen| seen.running == 1).await;
    // The handler has given up; the close frame waits behind what the kernel has.
    observer.wait_until(GONE, |seen| seen.running == 0).await;
    assert_eq!(client.skip_to_close().await, 4002, "{path}");
    drop(client);
    observer.wait_until(GONE, |seen| seen.connections == 1).await;
    server.stop().await;
}

/// A client that has asked for more than it will take.
async fn attacker(server: &Server, path: &str) -> Client {
    let mut client = known(server, path).await;
    ask(&mut client).await;
    client
}

/// A client that has said who it is, where that is asked.
async fn known(server: &Server, path: &str) -> Client {
    let mut client = server.connect(path).await;
    if path == "/limited" {
        client.send("AUTH", json!({ "token": "alice" })).await;
    }
    client
}

/// Asks for some 400 MB.
async fn ask(client: &mut Client) {
    client.send("FLOOD", json!({ "count": 100_000, "bytes": 4096 })).await;
}

/// A byte each second, until the connection ends.
async fn read_slowly(mut client: Client, bytes: Arc<AtomicUsize>) {
    let mut second = interval(Duration::from_secs(1));
    loop {
        second.tick().await;
        match client.ws.get_mut().read(&mut [0]).await {
            Ok(read) if read > 0 => bytes.fetch_add(read, SeqCst),
            _ => return,
        };
    }
}
