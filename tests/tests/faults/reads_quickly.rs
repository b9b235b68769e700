//! A client that takes more than its share of the server's time by taking all that it asked for at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use serde_json::json;
use switchboard_tests::client::{Client, PATIENCE};
use tokio::{
    io::AsyncReadExt as _,
    net::TcpSocket,
    process::Command,
    time::{Instant, sleep},
};

use super::{
    neighbour::Neighbour,
    process::{PROGRAM, Server, connect_by},
};

const COUNT: usize = 100_000;
const BYTES: usize = 4096;

/// So many answers must come during the flood. Few: on axum's transport the flood waits after each half of the queue,
/// but its task is ready again at once, and tokio looks at sockets only once in 61 such turns.
const ANSWERS: usize = 3;

/// The server writes more slowly than a client reads that does nothing else: it never has to wait. The neighbour is on
/// the same thread of the server, and is answered before the flood is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quick_reader_does_not_starve_others() {
    let mut command = Command::new(PROGRAM);
    command.env("TOKIO_WORKER_THREADS", "1");
    let server = Server::start_by(command).await;
    let mut neighbour = Neighbour::start(server.address());
    let alone = neighbour.look(300).await;

    let read = Arc::new(AtomicUsize::new(0));
    let socket = TcpSocket::new_v4().expect("a socket");
    let mut client = connect_by(socket, server.address(), "/ws").await;
    client.send("FLOOD", json!({ "count": COUNT, "bytes": BYTES })).await;
    let reader = tokio::spawn(read_all(client, Arc::clone(&read)));
    let begin = Instant::now();
    while read.load(SeqCst) == 0 {
        assert!(begin.elapsed() < PATIENCE, "no flood");
        sleep(Duration::from_millis(1)).await;
    }
    neighbour.look(0).await;
    let beside = neighbour.look(ANSWERS).await;
    let far = read.load(SeqCst);
    reader.abort();
    eprintln!("reads quickly: {far} bytes when the neighbour was served; alone {alone}; beside {beside}");
    assert!(far < COUNT * BYTES, "the neighbour was served after the flood");
    neighbour.stop();
    server.stop().await;
}

async fn read_all(mut client: Client, total: Arc<AtomicUsize>) {
    let mut buffer = vec![0; 1024 * 1024];
    while let Ok(read @ 1..) = client.ws.get_mut().read(&mut buffer).await {
        total.fetch_add(read, SeqCst);
    }
}
