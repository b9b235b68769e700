//! The faults of a run.

use std::{fmt, str::FromStr, time::Duration};

use anyhow::Result;
use tokio::time::sleep;

use super::{brokers::BrokerName, cluster::Cluster};
use crate::{
    history::Scope,
    proxy::{Behaviour, Pace},
    random::Random,
};

/// A fault that is injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The broker is killed, and comes back empty.
    BrokerRestart,
    /// The broker is stopped for 10 s: it takes what is sent, and does nothing.
    BrokerPause,
    /// A node is killed, and another takes its place.
    NodeKill,
    /// A node is stopped for 10 s.
    Pause,
    /// A node is stopped for 30 s.
    LongPause,
    /// Nothing reaches the broker from a node for 12 s.
    CutUp,
    /// Nothing reaches a node from the broker for 12 s.
    CutDown,
    /// Nothing passes between a node and the broker for 12 s.
    Cut,
    /// Everything takes 500 ms longer in each direction on a node's link for 10 s.
    Delay,
    /// All connections between nodes and the broker are reset, five times.
    Reset,
    /// A node's link passes 16 KB a second on each connection, for 10 s.
    Slow,
    /// Node after node is drained, and another takes its place.
    Drain,
    /// Slots with channels move to other masters.
    SlotMove,
    /// The master is killed and its replica takes over; then the old master comes back.
    Failover,
}

/// All faults with their names.
pub const FAULTS: [(&str, Fault); 14] = [
    ("broker-restart", Fault::BrokerRestart),
    ("broker-pause", Fault::BrokerPause),
    ("node-kill", Fault::NodeKill),
    ("pause-10", Fault::Pause),
    ("pause-30", Fault::LongPause),
    ("cut-up", Fault::CutUp),
    ("cut-down", Fault::CutDown),
    ("cut", Fault::Cut),
    ("delay", Fault::Delay),
    ("reset", Fault::Reset),
    ("slow", Fault::Slow),
    ("drain", Fault::Drain),
    ("slot-move", Fault::SlotMove),
    ("failover", Fault::Failover),
];

/// How long the broker is away.
const BROKER_AWAY: Duration = Duration::from_secs(3);

/// How long a node that was killed is away: until its users must be offline, and longer.
const NODE_AWAY: Duration = Duration::from_secs(12);

/// How long a link is cut: longer than it takes to notice.
const CUT: Duration = Duration::from_secs(12);

/// How long a link is late or slow.
const IMPAIRED: Duration = Duration::from_secs(10);

/// How much later everything arrives.
const LATE: Duration = Duration::from_millis(500);

/// The bytes that a slow link passes in a second: less than it gets.
const SLOW: usize = 16 * 1024;

/// How often connections are reset, and the time between.
const RESETS: (u32, Duration) = (5, Duration::from_millis(700));

/// The time between two nodes of a rolling restart.
const BETWEEN_DRAINS: Duration = Duration::from_secs(2);

/// How long a paused process is stopped.
const PAUSES: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(30)];

impl Fault {
    /// Returns the name.
    #[must_use]
    pub fn name(self) -> &'static str {
        FAULTS.iter().find(|(_, fault)| *fault == self).map_or("", |(name, _)| name)
    }

    /// Returns whether it can happen to this broker.
    #[must_use]
    pub fn fits(self, broker: BrokerName) -> bool {
        match (self, broker) {
            (Self::NodeKill | Self::Pause | Self::LongPause | Self::Drain, _) => true,
            (Self::SlotMove, broker) => broker == BrokerName::Cluster,
            (Self::Failover, broker) => broker == BrokerName::Sentinel,
            (Self::BrokerRestart, broker) => broker != BrokerName::Sentinel,
            // There are no proxies.
            (_, BrokerName::Sentinel | BrokerName::Cluster) => false,
            _ => true,
        }
    }

    /// Injects the fault, and ends it.
    pub(super) async fn inject(self, cluster: &mut Cluster, random: &mut Random) -> Result<()> {
        let node = random.below(cluster.len());
        let scope = match self {
            Self::BrokerRestart | Self::BrokerPause | Self::Reset | Self::SlotMove | Self::Failover => Scope::All,
            Self::Drain => return rolling_restart(self, cluster).await,
            _ => Scope::Node(node),
        };
        let from = cluster.now();
        match self {
            Self::BrokerRestart => {
                cluster.servers.first().kill();
                sleep(BROKER_AWAY).await;
                cluster.servers.first().start_again();
                cluster.servers.settle();
            }
            Self::BrokerPause => {
                cluster.servers.first().pause();
                sleep(PAUSES[0]).await;
                cluster.servers.first().resume();
            }
            Self::NodeKill => {
                cluster.kill(node).await?;
                sleep(NODE_AWAY).await;
                cluster.start_node(node).await?;
            }
            Self::Pause => cluster.pause(node, PAUSES[0]).await?,
            Self::LongPause => cluster.pause(node, PAUSES[1]).await?,
            Self::CutUp => impair(cluster, node, Behaviour { up: Pace::Cut, down: Pace::Free }, CUT).await,
            Self::CutDown => impair(cluster, node, Behaviour { up: Pace::Free, down: Pace::Cut }, CUT).await,
            Self::Cut => impair(cluster, node, Behaviour::both(Pace::Cut), CUT).await,
            Self::Delay => impair(cluster, node, Behaviour::both(Pace::Delay(LATE)), IMPAIRED).await,
            Self::Slow => impair(cluster, node, Behaviour::both(Pace::Slow(SLOW)), IMPAIRED).await,
            Self::Reset => {
                for _ in 0..RESETS.0 {
                    cluster.proxies().for_each(crate::proxy::Proxy::reset);
                    sleep(RESETS.1).await;
                }
            }
            Self::SlotMove => {
                let moved = cluster.servers.move_slots();
                println!("    {moved} slots were moved");
            }
            Self::Failover => {
                let old = cluster.servers.first().port();
                cluster.servers.first().kill();
                cluster.servers.await_failover(old);
                cluster.restart_server(old);
            }
            Self::Drain => {}
        }
        cluster.disturbed(self.name(), scope, from);
        Ok(())
    }
}

async fn impair(cluster: &Cluster, node: usize, behaviour: Behaviour, time: Duration) {
    let set = |behaviour| {
        if let Some(proxy) = cluster.proxy(node) {
            proxy.set(behaviour);
        }
    };
    set(behaviour);
    sleep(time).await;
    set(Behaviour::default());
}

async fn rolling_restart(fault: Fault, cluster: &mut Cluster) -> Result<()> {
    for node in 0..cluster.len() {
        let from = cluster.now();
        cluster.drain(node).await?;
        cluster.start_node(node).await?;
        cluster.disturbed(fault.name(), Scope::Node(node), from);
        sleep(BETWEEN_DRAINS).await;
    }
    Ok(())
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = FAULTS.iter().find(|(other, _)| *other == name).map(|(_, fault)| *fault);
        let names = FAULTS.map(|(name, _)| name).join(", ");
        found.ok_or_else(|| format!("no fault is named `{name}`; there are {names}"))
    }
}
