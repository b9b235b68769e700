//! The links to the masters of a cluster, and which partition each serves.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use redis::Value;
use switchboard_core::{
    adapter::Backoff,
    broker::{BrokerError, BrokerErrorKind, LinkEvent},
};
use tokio::{
    sync::{mpsc, oneshot},
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{pair::Pair, restore, topology::Topology};
use crate::{
    address::Address,
    command::Command,
    link::{Expected, Request},
    settings::Servers,
    shared::{Queues, Shared},
};

/// How long to wait before servers are asked again while some partition has none.
const IMPATIENCE: Duration = Duration::from_millis(200);

/// What the tasks of servers report.
enum Report {
    Up(Address, Queues),
    Lost(Address, u64, Cow<'static, str>),
    NotReached(BrokerError),
    /// The server has ended the subscription to a partition by itself: the slot has moved.
    Ended(usize),
}

struct Cluster {
    shared: Arc<Shared>,
    name: String,
    topology: Topology,
    servers: BTreeMap<Address, Server>,
    tasks: JoinSet<()>,
    reports: mpsc::Sender<Report>,
    /// Partitions that are not heard although they have channels.
    interrupted: BTreeSet<usize>,
    /// Partitions whose server has refused them, until the topology is known anew.
    refused: BTreeSet<usize>,
    restoring: JoinSet<(u64, Vec<usize>, Vec<usize>)>,
    /// At most one question for the slots.
    asking: JoinSet<Result<Topology, BrokerError>>,
    /// The pauses between questions while some partition has no server.
    impatience: Backoff,
    is_connected: bool,
    last_error: Option<BrokerError>,
    lost_by: Cow<'static, str>,
}

struct Server {
    task: AbortHandle,
    queues: Option<Queues>,
}

/// Keeps the links up, for ever. `started` learns how the first attempt ended; after an error, this ends.
pub(crate) async fn run(shared: Arc<Shared>, name: String, started: oneshot::Sender<Result<(), BrokerError>>) {
    let topology = match from_seeds(&shared, &name).await {
        Ok(topology) => topology,
        Err(error) => {
            shared.stop();
            let _ = started.send(Err(error));
            return;
        }
    };
    let (reports, received) = mpsc::channel(1024);
    let impatience = Backoff::new(IMPATIENCE, shared.settings.topology_interval.max(IMPATIENCE));
    let cluster = Cluster {
        shared,
        name,
        topology,
        servers: BTreeMap::new(),
        tasks: JoinSet::new(),
        reports,
        interrupted: BTreeSet::new(),
        refused: BTreeSet::new(),
        restoring: JoinSet::new(),
        asking: JoinSet::new(),
        impatience,
        is_connected: false,
        last_error: None,
        lost_by: "no master is known".into(),
    };
    cluster.run(received, started).await;
}

impl Cluster {
    async fn run(mut self, mut reports: mpsc::Receiver<Report>, started: oneshot::Sender<Result<(), BrokerError>>) {
        let shared = Arc::clone(&self.shared);
        let give_up = Instant::now() + shared.settings.connector.connect_timeout;
        let mut started = Some(started);
        let mut ask_at = Instant::now() + shared.settings.topology_interval;
        let mut reconnect = Box::pin(shared.reconnect.notified());
        reconnect.as_mut().enable();
        self.connect_masters();
        loop {
            if started.is_some() && (self.is_complete() || Instant::now() >= give_up) {
                let result = if self.is_connected { Ok(()) } else { Err(self.unreachable()) };
                let failed = result.is_err();
                if failed {
                    shared.stop();
                }
                let _ = started.take().map(|started| started.send(result));
                if failed {
                    return;
                }
            }
            tokio::select! {
                Some(report) = reports.recv() => {
                    self.take(report);
                    if !self.is_complete() {
                        ask_at = ask_at.min(Instant::now() + IMPATIENCE);
                    }
                }
                Some(Ok((id, heard, refused))) = self.restoring.join_next() => self.restored(id, &heard, refused),
                () = shared.refresh.notified() => ask_at = ask_at.min(Instant::now() + IMPATIENCE),
                () = reconnect.as_mut() => {
                    self.reconnect().await;
                    reconnect.set(shared.reconnect.notified());
                    reconnect.as_mut().enable();
                }
                () = sleep_until(give_up), if started.is_some() => {}
                () = sleep_until(ask_at), if self.asking.is_empty() => self.ask(),
                Some(Ok(answer)) = self.asking.join_next() => ask_at = Instant::now() + self.learn(answer),
            }
        }
    }

    fn take(&mut self, report: Report) {
        match report {
            Report::Up(address, queues) => {
                tracing::info!(%address, "connected to a server of the cluster");
                // Not of a task that has been ended since.
                if let Some(server) = self.servers.get_mut(&address).filter(|_| !queues.commands.is_closed()) {
                    server.queues = Some(queues);
                }
                self.reroute();
            }
            Report::Lost(address, id, reason) => {
                tracing::warn!(%address, %reason, "the link to a server of the cluster is lost");
                if let Some(server) = self.servers.get_mut(&address) {
                    server.queues.take_if(|queues| queues.id == id);
                }
                self.lost_by = format!("{address}: {reason}").into();
                self.reroute();
            }
            Report::NotReached(error) => self.last_error = Some(error),
            Report::Ended(partition) => {
                // Without channels, it was this node that has ended it.
                if self.shared.has_partition(partition) {
                    self.refused.insert(partition);
                    self.reroute();
                }
            }
        }
    }

    /// Takes the answer to a question for the slots, and returns the pause before the next.
    fn learn(&mut self, answer: Result<Topology, BrokerError>) -> Duration {
        match answer {
            Ok(topology) => self.topology = topology,
            Err(error) => tracing::warn!(%error, "no server of the cluster tells the slots"),
        }
        self.refused.clear();
        self.connect_masters();
        self.reroute();
        if self.is_complete() {
            self.impatience.reset();
            self.shared.settings.topology_interval
        } else {
            self.impatience.next_pause()
        }
    }

    /// Starts a task for each master that has none, and ends those of servers that are no masters any more.
    fn connect_masters(&mut self) {
        let masters: BTreeSet<Address> = self.topology.masters().into_iter().cloned().collect();
        for address in &masters {
            if !self.servers.contains_key(address) {
                let (shared, reports) = (Arc::clone(&self.shared), self.reports.clone());
                let task = self.tasks.spawn(serve(shared, self.name.clone(), address.clone(), reports));
                self.servers.insert(address.clone(), Server { task, queues: None });
            }
        }
        self.servers.retain(|address, server| {
            let stays = masters.contains(address);
            if !stays {
                server.task.abort();
            }
            stays
        });
        // Of tasks that have ended.
        while self.tasks.try_join_next().is_some() {}
    }

    /// Gives each partition the link to its master, reports what changes, and subscribes where that is needed.
    fn reroute(&mut self) {
        let partitions = self.shared.layout.partitions();
        let mut to_restore: BTreeMap<u64, (Queues, Vec<usize>)> = BTreeMap::new();
        let mut is_connected = false;
        let mut newly_interrupted = BTreeSet::new();
        for partition in 0..partitions {
            let master = self.topology.master(partition).and_then(|address| self.servers.get(address));
            let queues = master.and_then(|server| server.queues.as_ref());
            let queues = queues.filter(|_| !self.refused.contains(&partition));
            is_connected |= queues.is_some();
            if !self.shared.set_route(partition, queues) {
                continue;
            }
            if !self.shared.has_partition(partition) {
                self.interrupted.remove(&partition);
                continue;
            }
            if self.interrupted.insert(partition) {
                newly_interrupted.insert(partition);
            }
            if let Some(queues) = queues {
                to_restore.entry(queues.id).or_insert_with(|| (queues.clone(), Vec::new())).1.push(partition);
            }
        }
        match (self.is_connected, is_connected) {
            (false, true) => self.shared.inbox.link(LinkEvent::Connected),
            (true, false) => {
                self.shared.inbox.link(LinkEvent::Disconnected { reason: self.lost_by.clone() });
            }
            (true, true) => {
                self.shared.report(|partition| newly_interrupted.contains(&partition), LinkEvent::Interrupted)
            }
            (false, false) => {}
        }
        self.is_connected = is_connected;
        for (queues, partitions) in to_restore.into_values() {
            self.restoring.spawn(restore::partitions(Arc::clone(&self.shared), queues, partitions));
        }
    }

    fn restored(&mut self, id: u64, heard: &[usize], refused: Vec<usize>) {
        let heard: BTreeSet<_> = heard.iter().filter(|partition| self.shared.is_route(**partition, id)).collect();
        for partition in &heard {
            self.interrupted.remove(partition);
        }
        self.shared.report(|partition| heard.contains(&partition), LinkEvent::Restored);
        tracing::info!(restored = heard.len(), left = self.interrupted.len(), "partitions are heard again");
        if !refused.is_empty() {
            self.refused.extend(refused.into_iter().filter(|partition| self.shared.is_route(*partition, id)));
            self.reroute();
            self.shared.refresh.notify_one();
        }
    }

    /// Ends all links, and begins again.
    async fn reconnect(&mut self) {
        self.tasks.shutdown().await;
        self.servers.clear();
        self.lost_by = "a new link was asked for".into();
        self.reroute();
        self.connect_masters();
    }

    /// Whether each partition that has a master has a link.
    fn is_complete(&self) -> bool {
        self.refused.is_empty() && self.is_connected && self.servers.values().all(|server| server.queues.is_some())
    }

    fn unreachable(&mut self) -> BrokerError {
        let error = self.last_error.take();
        error.unwrap_or_else(|| BrokerError::new(BrokerErrorKind::Unavailable, "no master of the cluster was reached"))
    }

    /// Begins to ask for the slots.
    fn ask(&mut self) {
        let linked =
            self.servers.iter().filter_map(|(address, server)| Some((address.clone(), server.queues.clone()?)));
        self.asking.spawn(ask(Arc::clone(&self.shared), self.name.clone(), linked.collect()));
    }
}

/// Asks servers for the slots: those with a link, else the configured ones.
///
/// A master that is cut off from the others does not learn that it was replaced. But it learns that it is cut off, so those
/// count only that say the cluster is well, unless none does.
async fn ask(shared: Arc<Shared>, name: String, linked: Vec<(Address, Queues)>) -> Result<Topology, BrokerError> {
    let mut doubtful = None;
    for (address, queues) in linked {
        let Some(slots) = answer(&queues, ["CLUSTER", "SLOTS"]).await else { continue };
        let Ok(topology) = Topology::read(&slots, &address) else { continue };
        let is_well = match answer(&queues, ["CLUSTER", "INFO"]).await {
            Some(Value::BulkString(text)) => String::from_utf8_lossy(&text).contains("cluster_state:ok"),
            Some(Value::VerbatimString { text, .. }) => text.contains("cluster_state:ok"),
            // Without the right to ask, as without an answer, there is no reason for doubt.
            _ => true,
        };
        if is_well {
            return Ok(topology);
        }
        doubtful.get_or_insert(topology);
    }
    match doubtful {
        Some(topology) => Ok(topology),
        None => from_seeds(&shared, &name).await,
    }
}

async fn answer(queues: &Queues, words: [&str; 2]) -> Option<Value> {
    let (answer, outcome) = oneshot::channel();
    let request = Request::internal(Command::words(words), |outcome| drop(answer.send(outcome)));
    queues.commands.try_send(request).ok()?;
    timeout(IMPATIENCE * 5, outcome).await.ok()?.ok()?.ok()
}

/// Keeps the link to one server up, for ever.
async fn serve(shared: Arc<Shared>, name: String, address: Address, reports: mpsc::Sender<Report>) {
    let mut backoff = Backoff::new(shared.settings.min_backoff, shared.settings.max_backoff);
    loop {
        let mut reconnect = pin!(shared.reconnect.notified());
        reconnect.as_mut().enable();
        match Pair::connect(&shared, &address, &name, Expected::Cluster).await {
            Ok(pair) => {
                backoff.reset();
                let ended = reports.clone();
                // A report that does not fit is made good by the next question for the slots.
                let mut serving = pair.serve(&shared, move |partition| drop(ended.try_send(Report::Ended(partition))));
                let id = serving.queues.id;
                if reports.send(Report::Up(address.clone(), serving.queues.clone())).await.is_err() {
                    return;
                }
                let reason = serving.lost().await;
                serving.end().await;
                if reports.send(Report::Lost(address.clone(), id, reason)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                let pause = backoff.next_pause();
                tracing::warn!(%error, ?pause, "cannot connect to a server of the cluster");
                if reports.send(Report::NotReached(error)).await.is_err() {
                    return;
                }
                tokio::select! {
                    () = sleep(pause) => {}
                    () = reconnect => {}
                }
            }
        }
    }
}

/// Asks the configured servers for the slots.
async fn from_seeds(shared: &Shared, name: &str) -> Result<Topology, BrokerError> {
    let Servers::Cluster(seeds) = &shared.settings.servers else { return Err(crate::shared::closed()) };
    let mut last_error = None;
    for seed in seeds {
        let asked = async {
            let settings = &shared.settings;
            let mut connection =
                settings.connector.connect(seed, &settings.credentials, name, Expected::Cluster).await?;
            let command = Command::words(["CLUSTER", "SLOTS"]);
            let slots = connection.ask_within(settings.timing.response_timeout, command).await?;
            Topology::read(&slots, seed)
        };
        match asked.await {
            Ok(topology) if topology.masters().is_empty() => {
                let detail =
                    format!("{seed} knows no slots; has the cluster been created (`redis-cli --cluster create`)?");
                last_error = Some(BrokerError::new(BrokerErrorKind::Unavailable, detail));
            }
            Ok(topology) => return Ok(topology),
            Err(error) => last_error = Some(error),
        }
    }
    Err(last_error.unwrap_or_else(|| BrokerError::new(BrokerErrorKind::Unavailable, "no server is configured")))
}

/// Connects once, for [`RedisBrokerBuilder::connect`](crate::RedisBrokerBuilder::connect).
pub(crate) async fn probe(shared: &Shared, name: &str) -> Result<(), BrokerError> {
    from_seeds(shared, name).await.map(drop)
}
