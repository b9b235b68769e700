//! The brokers that a run can start.

use std::{fmt, io, str::FromStr};

use broker_servers::{Program, RedisCluster, RedisSentinel, Server, until};

use crate::{node::Kind, proxy::Proxy};

/// A kind of broker, as the command line names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerName {
    /// Redis of the system.
    Redis,
    /// Valkey 9.
    Valkey,
    /// NATS of the system, 2.9 on Debian 12.
    Nats,
    /// NATS 2.15.
    NatsNew,
    /// A Redis master and its replica, behind Sentinel.
    Sentinel,
    /// A Redis Cluster of three masters.
    Cluster,
}

/// All brokers.
pub const BROKERS: [BrokerName; 6] = [
    BrokerName::Redis,
    BrokerName::Valkey,
    BrokerName::Nats,
    BrokerName::NatsNew,
    BrokerName::Sentinel,
    BrokerName::Cluster,
];

impl BrokerName {
    /// Returns the name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Valkey => "valkey",
            Self::Nats => "nats",
            Self::NatsNew => "nats-new",
            Self::Sentinel => "sentinel",
            Self::Cluster => "cluster",
        }
    }

    /// Returns whether it has one order for all subscribers of a channel.
    #[must_use]
    pub fn has_one_order(self) -> bool {
        !matches!(self, Self::Nats | Self::NatsNew)
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Redis | Self::Valkey => Kind::Redis,
            Self::Nats | Self::NatsNew => Kind::Nats,
            Self::Sentinel => Kind::Sentinel,
            Self::Cluster => Kind::Cluster,
        }
    }
}

impl fmt::Display for BrokerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for BrokerName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let names = BROKERS.map(Self::name).join(", ");
        let found = BROKERS.into_iter().find(|broker| broker.name() == name);
        found.ok_or_else(|| format!("no broker is named `{name}`; there are {names} and all"))
    }
}

/// Running servers. They end with this value, and with the thread that has started them.
#[derive(Debug)]
pub(super) enum Servers {
    One(Server),
    Sentinel(Box<RedisSentinel>),
    Cluster(RedisCluster),
}

impl Servers {
    /// Starts the servers. Blocks, and panics if they are not installed.
    pub(super) fn start(name: BrokerName) -> Self {
        match name {
            BrokerName::Redis => Self::One(Server::start(Program::Redis, &[])),
            BrokerName::Valkey => Self::One(Server::start(Program::Valkey, &[])),
            BrokerName::Nats => Self::One(Server::start(Program::Nats, &[])),
            BrokerName::NatsNew => Self::One(Server::start(Program::Nats215, &[])),
            BrokerName::Sentinel => Self::Sentinel(Box::new(RedisSentinel::start())),
            BrokerName::Cluster => Self::Cluster(RedisCluster::start()),
        }
    }

    /// Returns a proxy for the link of one node, and the addresses that the node connects to.
    ///
    /// Sentinels and clusters tell their clients the addresses of servers, so nodes connect to them without a proxy.
    pub(super) async fn link(&self) -> io::Result<(Option<Proxy>, Vec<String>)> {
        Ok(match self {
            Self::One(server) => {
                let proxy = Proxy::start(server.port()).await?;
                let address = proxy.address().to_string();
                (Some(proxy), vec![address])
            }
            Self::Sentinel(servers) => (None, vec![servers.sentinel.address()]),
            Self::Cluster(cluster) => (None, cluster.masters.iter().map(Server::address).collect()),
        })
    }

    /// The server that faults of one server happen to.
    pub(super) fn first(&mut self) -> &mut Server {
        match self {
            Self::One(server) => server,
            Self::Sentinel(servers) => {
                let port = servers.master_port();
                let [first, second] = &mut servers.servers;
                if first.port() == port { first } else { second }
            }
            Self::Cluster(cluster) => &mut cluster.masters[0],
        }
    }

    /// Waits until the servers work together again. Blocks.
    pub(super) fn settle(&self) {
        if let Self::Cluster(cluster) = self {
            let works = |server: &Server| server.ask(&["CLUSTER", "INFO"]).text().contains("cluster_state:ok");
            until("the cluster works", || cluster.masters.iter().all(works));
        }
    }

    /// Waits until the Sentinel names another master than this one. Blocks.
    pub(super) fn await_failover(&self, old: u16) {
        if let Self::Sentinel(servers) = self {
            until("the Sentinel has chosen another master", || ![0, old].contains(&servers.master_port()));
        }
    }

    /// Moves each slot that has a channel to the next master. Blocks. Returns how many were moved.
    pub(super) fn move_slots(&self) -> usize {
        let Self::Cluster(cluster) = self else { return 0 };
        let mut moved = 0;
        let count = cluster.masters.len();
        let channels =
            cluster.masters.iter().map(|master| master.ask(&["PUBSUB", "SHARDCHANNELS"])).collect::<Vec<_>>();
        for (from, channels) in channels.iter().enumerate() {
            let slot = |channel: &str| cluster.masters[from].ask(&["CLUSTER", "KEYSLOT", channel]).text().parse().ok();
            let mut slots: Vec<u16> = channels.list().iter().filter_map(|channel| slot(channel.text())).collect();
            slots.sort_unstable();
            slots.dedup();
            slots.iter().for_each(|slot| cluster.move_slot(*slot, from, (from + 1) % count));
            moved += slots.len();
        }
        moved
    }
}
