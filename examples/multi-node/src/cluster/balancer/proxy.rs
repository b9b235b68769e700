//! A small TCP balancer.

use std::{
    collections::BTreeMap,
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};

use super::Backend;

/// How many clients are connected at a time. Others wait to be accepted.
const MAX_CLIENTS: usize = 4096;

/// How long a node may take to accept.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long to wait after an error of accepting, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// The open connections of each node, by its port.
type Counts = Arc<Mutex<BTreeMap<u16, usize>>>;

/// Accepts clients until it is aborted. Each goes to the ready node with the fewest connections.
pub(super) async fn run(listener: Arc<TcpListener>, nodes: watch::Receiver<Vec<Backend>>) {
    let (permits, counts) = (Arc::new(Semaphore::new(MAX_CLIENTS)), Counts::default());
    let mut clients = tokio::task::JoinSet::new();
    loop {
        // Tasks that have ended are forgotten.
        while clients.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let Ok((client, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let (nodes, counts) = (nodes.borrow().clone(), Arc::clone(&counts));
        clients.spawn(async move {
            // An error ends the connection, which is how both sides learn of it.
            _ = serve(client, &nodes, &counts).await;
            drop(permit);
        });
    }
}

async fn serve(mut client: TcpStream, nodes: &[Backend], counts: &Counts) -> io::Result<()> {
    for port in order(nodes, counts) {
        let Ok(Ok(mut node)) = timeout(CONNECT_TIMEOUT, TcpStream::connect((Ipv4Addr::LOCALHOST, port))).await else {
            continue;
        };
        let _counted = Counted::new(counts, port);
        client.set_nodelay(true)?;
        node.set_nodelay(true)?;
        copy_bidirectional(&mut client, &mut node).await?;
        return Ok(());
    }
    Ok(())
}

/// Returns the nodes in the order in which they are tried.
fn order(nodes: &[Backend], counts: &Counts) -> Vec<u16> {
    let counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    let mut nodes = nodes.to_vec();
    // Those that are not ready come last: what is known of them may be old.
    nodes.sort_by_key(|node| (!node.ready, counts.get(&node.port).copied().unwrap_or_default()));
    nodes.iter().map(|node| node.port).collect()
}

/// A connection that counts.
struct Counted {
    counts: Counts,
    port: u16,
}

impl Counted {
    fn new(counts: &Counts, port: u16) -> Self {
        *counts.lock().unwrap_or_else(PoisonError::into_inner).entry(port).or_default() += 1;
        Self { counts: Arc::clone(counts), port }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.port) {
            *count = count.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_node_with_the_fewest_connections_is_first() {
        let counts = Counts::default();
        let nodes = [(1, true), (2, true), (3, false)].map(|(port, ready)| Backend { port, ready });
        let first = Counted::new(&counts, 1);
        assert_eq!(order(&nodes, &counts), [2, 1, 3]);
        let _more = [Counted::new(&counts, 2), Counted::new(&counts, 2)];
        assert_eq!(order(&nodes, &counts), [1, 2, 3]);
        drop(first);
        assert_eq!(order(&nodes, &counts), [1, 2, 3]);
    }
}
