//! A TCP proxy with faults, on the link between a node and its broker.

mod pump;

use std::{io, net::SocketAddr, time::Duration};

use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// How a link behaves in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pace {
    /// Bytes are passed on at once.
    #[default]
    Free,
    /// Nothing is passed on. What is sent meanwhile arrives afterwards, as TCP would repeat it.
    Cut,
    /// Everything arrives later by this time.
    Delay(Duration),
    /// So many bytes are passed on in a second, on each connection.
    Slow(usize),
}

/// How a link behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// From the node to the broker.
    pub up: Pace,
    /// From the broker to the node.
    pub down: Pace,
}

impl Behaviour {
    /// The same in both directions.
    #[must_use]
    pub fn both(pace: Pace) -> Self {
        Self { up: pace, down: pace }
    }
}

/// A proxy on a free port of 127.0.0.1. Its connections end when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    behaviour: watch::Sender<Behaviour>,
    resets: watch::Sender<u64>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy to a port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// If there is no free port.
    pub async fn start(to: u16) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (behaviour, behaves) = watch::channel(Behaviour::default());
        let (resets, reset) = watch::channel(0);
        let task = tokio::spawn(accept(listener, to, behaves, reset));
        Ok(Self { address, behaviour, resets, task })
    }

    /// Returns the address to connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes how the link behaves.
    pub fn set(&self, behaviour: Behaviour) {
        self.behaviour.send_replace(behaviour);
    }

    /// Resets all connections. New ones can be made at once.
    pub fn reset(&self) {
        self.resets.send_modify(|count| *count += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, to: u16, behaves: watch::Receiver<Behaviour>, reset: watch::Receiver<u64>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, to, behaves.clone(), reset.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(
    node: TcpStream,
    to: u16,
    mut behaves: watch::Receiver<Behaviour>,
    mut reset: watch::Receiver<u64>,
) {
    reset.mark_unchanged();
    // Over a link that is cut, no connection is made.
    let both_ways = |behaviour: &Behaviour| ![behaviour.up, behaviour.down].contains(&Pace::Cut);
    let connect = async {
        behaves.wait_for(both_ways).await.ok()?;
        TcpStream::connect(("127.0.0.1", to)).await.ok()
    };
    let broker = tokio::select! {
        broker = connect => broker,
        _ = reset.changed() => None,
    };
    let Some(broker) = broker else {
        abort(&node);
        return;
    };
    // Without these the proxy would add delays of its own; it works without.
    _ = node.set_nodelay(true);
    _ = broker.set_nodelay(true);
    tokio::select! {
        () = pump::both(&node, &broker, &behaves) => {}
        _ = reset.changed() => {
            abort(&node);
            abort(&broker);
        }
    }
}

/// Lets the end of a connection be a reset.
fn abort(stream: &TcpStream) {
    // If it fails, the connection ends in order.
    _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
