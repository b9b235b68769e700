//! A client that does what it likes.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    ops::AddAssign,
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use switchboard_tests::client::{Client, PATIENCE};
use tokio::{
    net::TcpSocket,
    time::{Instant, timeout},
};
use tokio_tungstenite::{client_async, tungstenite::Message};

use super::random::Random;

/// How many topics there are.
const TOPICS: u64 = 64;

/// What a client does before it goes.
const STEPS: u64 = 12;

/// How long it waits between two steps at most, and reads.
const PAUSE_MS: u64 = 60;

/// What clients have seen and done.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) delivered: usize,
    pub(super) errors: usize,
    pub(super) closed: usize,
    pub(super) vanished: usize,
}

impl AddAssign for Outcome {
    fn add_assign(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.errors += other.errors;
        self.closed += other.closed;
        self.vanished += other.vanished;
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { delivered, errors, closed, vanished } = self;
        write!(f, "{closed} closed, {vanished} vanished, {delivered} messages delivered, {errors} errors")
    }
}

/// Connects, does a dozen things, and goes in one way or another.
pub(super) async fn wander(server: SocketAddr, round: u8, mut random: Random) -> Outcome {
    // Each round from an address of its own: the ports of the last one are not free yet.
    let mut client = connect(server, Ipv4Addr::new(127, 0, 0, 2 + round)).await;
    let mut outcome = Outcome::default();
    for n in 0..STEPS {
        let topic = format!("soak{}", random.below(TOPICS));
        let message = match random.below(10) {
            0..=3 => json!({ "type": "JOIN", "payload": { "topic": topic } }),
            4 | 5 => json!({ "type": "LEAVE", "payload": { "topic": topic } }),
            6 => json!({ "type": "SAY", "payload": { "topic": topic, "text": "x".repeat(1 + n as usize) } }),
            7 => json!({ "type": "SLEEP", "meta": { "correlationId": n.to_string() }, "payload": { "ms": 60_000 } }),
            8 => json!({ "type": "$ws:abort", "meta": { "correlationId": (n.saturating_sub(1)).to_string() } }),
            _ => json!({ "type": "NONSENSE", "payload": [topic] }),
        };
        if client.ws.send(Message::text(message.to_string())).await.is_err() {
            break;
        }
        read(&mut client, Duration::from_millis(random.below(PAUSE_MS)), &mut outcome).await;
    }
    match random.below(3) {
        0 => {
            // The handshake to its end.
            let code = timeout(PATIENCE, client.close(1000)).await.expect("a close frame");
            assert_eq!(code, 1000);
            outcome.closed += 1;
        }
        1 => outcome.vanished += 1,
        _ => {
            // A reset, with whatever is unread.
            client.ws.get_ref().set_zero_linger().expect("an open socket");
            outcome.vanished += 1;
        }
    }
    outcome
}

async fn connect(server: SocketAddr, from: Ipv4Addr) -> Client {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((from, 0).into()).expect("a free port");
    let stream = timeout(PATIENCE, socket.connect(server)).await.expect("a connection in time").expect("a server");
    let upgrade = client_async(format!("ws://{server}/ws"), stream);
    let (ws, response) = timeout(PATIENCE, upgrade).await.expect("an answer in time").expect("an upgrade");
    Client { ws, headers: response.headers().clone() }
}

/// Takes what comes for some time.
async fn read(client: &mut Client, time: Duration, outcome: &mut Outcome) {
    let until = Instant::now() + time;
    while let Ok(Some(Ok(frame))) = tokio::time::timeout_at(until, client.ws.next()).await {
        if let Message::Text(text) = frame {
            outcome.delivered += usize::from(text.contains(r#""SAID""#));
            outcome.errors += usize::from(text.contains(r#"ERROR""#));
        }
    }
}
