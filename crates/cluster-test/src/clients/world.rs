//! What all clients of a run share.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::socket::Socket;
use crate::history::{Client, Recorder, What};

/// How long a client waits before it tries to connect again.
const PAUSE: Duration = Duration::from_millis(150);

/// How long an attempt to connect may take. A node that is stopped accepts connections, and does not answer.
const CONNECT: Duration = Duration::from_secs(3);

/// What clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Publishers publish.
    Publishing,
    /// Publishing has ended; members still listen.
    Listening,
    /// All end.
    Done,
}

/// To which node a client connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// To this one, and no other.
    Always(usize),
    /// To this one, and to the next if it is not reachable.
    First(usize),
}

/// The nodes, the phase and the recorder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct World {
    /// Where all clients record.
    pub recorder: Recorder,
    /// The addresses of nodes. `None` for one that does not run.
    pub nodes: watch::Receiver<Vec<Option<SocketAddr>>>,
    /// What clients do.
    pub phase: watch::Receiver<Phase>,
    requests: Arc<AtomicU64>,
}

impl World {
    /// Creates a world.
    #[must_use]
    pub fn new(
        recorder: Recorder,
        nodes: watch::Receiver<Vec<Option<SocketAddr>>>,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        Self { recorder, nodes, phase, requests: Arc::default() }
    }

    /// Returns a number that no other request or command has.
    pub(super) fn number(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn record(&self, client: Client, what: What) {
        self.recorder.record(client, what);
    }

    pub(super) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Waits until all end.
    pub(super) async fn done(&self) {
        // Without a sender the run is over, too.
        _ = self.phase.clone().wait_for(|phase| *phase == Phase::Done).await;
    }

    /// Connects a client, however long it takes. `None` if all end.
    pub(super) async fn connect(&self, client: Client, home: Home) -> Option<Socket> {
        let connect = async {
            let mut attempt = 0;
            loop {
                let count = self.nodes.borrow().len();
                let node = match home {
                    Home::Always(node) => node,
                    Home::First(node) => (node + attempt) % count.max(1),
                };
                let address = self.nodes.borrow().get(node).copied().flatten();
                if let Some(address) = address
                    && let Ok(Some(socket)) = timeout(CONNECT, Socket::connect(address, client)).await
                {
                    self.record(client, What::Connected { node });
                    return socket;
                }
                attempt += 1;
                sleep(PAUSE).await;
            }
        };
        tokio::select! {
            socket = connect => Some(socket),
            () = self.done() => None,
        }
    }
}
