//! The processes of a run: the broker, the proxies and the nodes.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::{sync::watch, time::sleep};

use super::{RunOptions, brokers::Servers};
use crate::{
    history::{Disturbance, Recorder, Scope},
    node::{NodeOptions, NodeProcess},
    proxy::Proxy,
};

/// Everything that runs outside of this process, and the links between.
pub(super) struct Cluster {
    pub(super) servers: Servers,
    nodes: Vec<Node>,
    addresses: watch::Sender<Vec<Option<SocketAddr>>>,
    recorder: Recorder,
    program: PathBuf,
    disturbances: Vec<Disturbance>,
}

struct Node {
    process: Option<NodeProcess>,
    options: NodeOptions,
    log: PathBuf,
    proxy: Option<Proxy>,
}

impl Cluster {
    /// Starts everything. Blocks while servers start.
    pub(super) async fn start(options: &RunOptions, recorder: Recorder, folder: &Path) -> Result<Self> {
        let servers = Servers::start(options.broker);
        let mut nodes = Vec::new();
        for number in 0..options.size.nodes {
            let (proxy, brokers) = servers.link().await.context("cannot start a proxy")?;
            let kind = options.broker.kind();
            let node = NodeOptions { kind, brokers, planted: options.planted, one_in: options.one_in };
            nodes.push(Node { process: None, options: node, log: folder.join(format!("node-{number}.log")), proxy });
        }
        let (addresses, _) = watch::channel(vec![None; nodes.len()]);
        let program = options.program.clone();
        let mut cluster = Self { servers, nodes, addresses, recorder, program, disturbances: Vec::new() };
        for node in 0..cluster.len() {
            cluster.start_node(node).await?;
        }
        Ok(cluster)
    }

    /// The number of nodes.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn addresses(&self) -> watch::Receiver<Vec<Option<SocketAddr>>> {
        self.addresses.subscribe()
    }

    pub(super) fn now(&self) -> Duration {
        self.recorder.now()
    }

    /// Notes a fault that ends now.
    pub(super) fn disturbed(&mut self, fault: &'static str, scope: Scope, from: Duration) {
        let until = self.now();
        self.disturbances.push(Disturbance { scope, fault, from, until });
    }

    pub(super) fn take_disturbances(&mut self) -> Vec<Disturbance> {
        std::mem::take(&mut self.disturbances)
    }

    pub(super) fn proxy(&self, node: usize) -> Option<&Proxy> {
        self.nodes[node].proxy.as_ref()
    }

    pub(super) fn proxies(&self) -> impl Iterator<Item = &Proxy> {
        self.nodes.iter().filter_map(|node| node.proxy.as_ref())
    }

    pub(super) async fn start_node(&mut self, node: usize) -> Result<()> {
        let Node { process, options, log, .. } = &mut self.nodes[node];
        let started = NodeProcess::start(&self.program, options, log).await?;
        let address = started.address();
        *process = Some(started);
        self.addresses.send_modify(|addresses| addresses[node] = Some(address));
        Ok(())
    }

    /// Takes a node out of the list that clients choose from.
    fn take(&mut self, node: usize) -> Result<NodeProcess> {
        self.addresses.send_modify(|addresses| addresses[node] = None);
        self.nodes[node].process.take().context("the node does not run")
    }

    pub(super) async fn kill(&mut self, node: usize) -> Result<()> {
        self.take(node)?.kill().await
    }

    pub(super) async fn drain(&mut self, node: usize) -> Result<()> {
        self.take(node)?.drain().await
    }

    pub(super) async fn pause(&self, node: usize, time: Duration) -> Result<()> {
        let process = self.nodes[node].process.as_ref().context("the node does not run")?;
        process.pause().await?;
        sleep(time).await;
        process.resume().await
    }

    /// Starts the server on a port again, which was killed. Blocks.
    pub(super) fn restart_server(&mut self, port: u16) {
        if let Servers::Sentinel(servers) = &mut self.servers {
            servers
                .servers
                .iter_mut()
                .filter(|server| server.port() == port)
                .for_each(broker_servers::Server::start_again);
        }
    }
}
