//! Clients that begin a request and do not end it.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, sleep},
};

use super::{neighbour::Neighbour, process::Server};

const ATTACKERS: usize = 400;

/// The header timeout of [`switchboard::serve`], and some more for a machine with much to do.
const TIMEOUT: Duration = Duration::from_secs(10);
const LATE: Duration = Duration::from_secs(30);

/// Each sends one more byte as often as it can without being done.
const DRIP: Duration = Duration::from_millis(1000);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_a13_half_sent_upgrades_are_closed() {
    let server = Server::start().await;
    let mut neighbour = Neighbour::start(server.address());
    let alone = neighbour.look(300).await;
    let (memory, sockets) = (server.memory(), server.sockets());

    let begin = Instant::now();
    let mut attackers = tokio::task::JoinSet::new();
    for n in 0..ATTACKERS {
        let mut stream = TcpStream::connect(server.address()).await.expect("a server");
        let head = match n % 4 {
            // Nothing, what could still become HTTP/2, and HTTP/1.1.
            0 => "",
            1 => "PRI * HTTP/2.0\r\n",
            _ => "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Long: ",
        };
        stream.write_all(head.as_bytes()).await.expect("an open connection");
        attackers.spawn(until_closed(stream, n % 4 == 3));
    }
    // The last may be connected and not accepted yet.
    let mut all_open = server.sockets();
    while all_open < ATTACKERS && begin.elapsed() < TIMEOUT / 2 {
        sleep(Duration::from_millis(20)).await;
        all_open = server.sockets();
    }
    let beside = neighbour.look(1000).await;
    server.wait_for_sockets(sockets, LATE).await;
    let all = begin.elapsed();
    while let Some(open) = attackers.join_next().await {
        let open = open.expect("an attacker that came to its end");
        assert!(open >= TIMEOUT.mul_f32(0.9) && open < LATE, "{open:?}");
    }
    eprintln!("half-sent upgrades: {all_open} sockets, all closed after {all:.1?}");
    assert!(all_open >= ATTACKERS, "{all_open}");
    let then = server.wait_for_memory(memory).await;
    eprintln!("  memory {memory}, then {then}\n  neighbour alone {alone}\n  beside {beside}");
    neighbour.stop();
    beside.assert_patient();
    server.stop().await;
}

/// How long the server leaves it open.
async fn until_closed(mut stream: TcpStream, drips: bool) -> Duration {
    let (begin, mut answer) = (Instant::now(), [0; 512]);
    loop {
        match tokio::time::timeout(DRIP, stream.read(&mut answer)).await {
            // Perhaps it says why.
            Ok(Ok(1..)) => {}
            Ok(_) => return begin.elapsed(),
            Err(_) if drips => _ = stream.write_all(b"x").await,
            Err(_) => {}
        }
    }
}
