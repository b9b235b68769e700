//! The scenarios, and the servers they measure.

use broker_servers::Program;

/// What a scenario measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The server's processor time per message.
    Cost,
    /// The server's memory per connection.
    Idle,
    /// The server's memory after large messages.
    Memory,
    /// The cost of members that do not read, for the server and the other members.
    Slow,
    /// The processor time of all nodes per delivery, and the broker's per publish.
    Nodes,
}

impl Kind {
    /// Returns the servers that are measured.
    pub(crate) const fn servers(self) -> &'static [Server] {
        match self {
            Self::Nodes => &NODES,
            _ => &SERVERS,
        }
    }

    /// Returns the name of the server that the others are compared with.
    pub(crate) const fn base(self) -> &'static str {
        match self {
            Self::Nodes => NODES[0].name,
            _ => BASE,
        }
    }
}

/// A way to load a server.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) kind: Kind,
    /// Arguments of the load generator.
    args: &'static str,
    /// Arguments for a quick run; later options override earlier ones.
    quick: &'static str,
    pub(crate) tls: bool,
    /// Whether publishes do not wait for the broker.
    pub(crate) unconfirmed: bool,
}

/// In the order of the tables.
pub(crate) const SCENARIOS: [Scenario; 17] = [
    Scenario::cost("rpc-1", "RPC, 1 connection, 1 request in flight", "rpc --conns 1 --depth 1"),
    Scenario::cost("rpc-100", "RPC, 100 connections, 1 in flight each", "rpc --conns 100 --depth 1"),
    Scenario::cost("rpc-100x16", "RPC, 100 connections, 16 in flight each", "rpc --conns 100 --depth 16"),
    Scenario::cost("fanout-1000", "fan-out to 1000, 1 publish in flight", "fanout --conns 1000 --window 1"),
    Scenario::cost("fanout-1000x8", "fan-out to 1000, 8 in flight", "fanout --conns 1000 --window 8"),
    Scenario::cost("fanout-5000x4", "fan-out to 5000, 4 in flight", "fanout --conns 5000 --window 4"),
    Scenario::cost("rpc-100-tls", "RPC over TLS, 100 connections, 1 in flight each", "rpc --conns 100 --depth 1").tls(),
    Scenario::cost("rpc-100x16-tls", "RPC over TLS, 100 connections, 16 each", "rpc --conns 100 --depth 16").tls(),
    Scenario::cost("fanout-1000x8-tls", "fan-out over TLS to 1000, 8 in flight", "fanout --conns 1000 --window 8")
        .tls(),
    Scenario::other(Kind::Idle, "idle", "idle connections", "idle --conns 10000", "--conns 1000"),
    Scenario::other(Kind::Idle, "idle-tls", "idle connections over TLS", "idle --conns 5000", "--conns 500").tls(),
    Scenario::other(
        Kind::Memory,
        "memory",
        "connections with a message of 60 KiB each",
        "memory --conns 1000 --size 61440",
        "--conns 200 --time 10",
    ),
    Scenario::other(
        Kind::Memory,
        "memory-tls",
        "connections over TLS with a message of 60 KiB each",
        "memory --conns 1000 --size 61440",
        "--conns 200 --time 10",
    )
    .tls(),
    Scenario::other(
        Kind::Slow,
        "slow",
        "50 of 100 members never read",
        "slow --conns 100 --slow 50 --rate 1000 --size 1024 --time 8",
        "",
    ),
    Scenario::other(
        Kind::Slow,
        "slow-tls",
        "50 of 100 members never read, over TLS",
        "slow --conns 100 --slow 50 --rate 1000 --size 1024 --time 8",
        "",
    )
    .tls(),
    Scenario::nodes("nodes", "333 members on each node, 1 publish in flight", "fanout --window 1"),
    Scenario::nodes("nodes-x8", "333 members on each node, 8 in flight, unconfirmed", "fanout --window 8")
        .unconfirmed(),
];

/// The members on each node where there are several.
const MEMBERS: usize = 333;

impl Scenario {
    const fn cost(name: &'static str, about: &'static str, args: &'static str) -> Self {
        Self::other(Kind::Cost, name, about, args, "--warmup 0.3 --time 0.7")
    }

    const fn nodes(name: &'static str, about: &'static str, args: &'static str) -> Self {
        Self::other(Kind::Nodes, name, about, args, "--warmup 0.3 --time 0.7")
    }

    const fn other(
        kind: Kind,
        name: &'static str,
        about: &'static str,
        args: &'static str,
        quick: &'static str,
    ) -> Self {
        Self { name, about, kind, args, quick, tls: false, unconfirmed: false }
    }

    const fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    const fn unconfirmed(mut self) -> Self {
        self.unconfirmed = true;
        self
    }

    /// Returns the arguments of the load generator, except for the server's address.
    pub(crate) fn args(&self, server: &Server, quick: bool) -> Vec<String> {
        let quick = if quick { self.quick } else { "" };
        let tls = if self.tls { "--tls" } else { "" };
        let apart = if server.nodes > 1 && server.broker.is_none() { "--apart" } else { "" };
        let members =
            if self.kind == Kind::Nodes { format!("--conns {}", server.nodes * MEMBERS) } else { String::new() };
        [self.args, quick, tls, apart, &members]
            .into_iter()
            .flat_map(str::split_whitespace)
            .map(str::to_owned)
            .collect()
    }

    /// Returns the number of rounds: processor time varies between rounds, memory hardly does.
    pub(crate) const fn rounds(&self, quick: bool) -> usize {
        match (self.kind, quick) {
            (Kind::Cost | Kind::Nodes, false) => 9,
            (Kind::Idle | Kind::Slow, false) | (Kind::Cost | Kind::Nodes, true) => 3,
            // A server that does not return memory is watched for a minute each time.
            (Kind::Memory, false) | (_, true) => 1,
        }
    }
}

/// A server to measure.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) name: &'static str,
    /// A program of the tests package.
    pub(crate) program: &'static str,
    pub(crate) transport: Option<&'static str>,
    pub(crate) broker: Option<Program>,
    /// How many processes there are.
    pub(crate) nodes: usize,
}

/// The server that the others are compared with.
const BASE: &str = "axum by hand";

const SERVERS: [Server; 3] = [
    Server::one("Switchboard", "bench-server", None),
    Server::one("Switchboard on axum's WebSocket", "bench-server", Some("axum")),
    Server::one(BASE, "axum-server", None),
];

/// As many processes and sockets as with several nodes on a broker: what these cost more is the broker's.
pub(crate) const ALONE: Server = Server { nodes: 3, ..Server::one("3 nodes, each alone", "bench-server", None) };

/// One node and several.
const NODES: [Server; 5] = [
    Server::one("1 node", "bench-server", None),
    ALONE,
    Server::on("1 node on Redis", Program::Redis, 1),
    Server::on("3 nodes on Redis", Program::Redis, 3),
    Server::on("3 nodes on NATS", Program::Nats215, 3),
];

impl Server {
    const fn one(name: &'static str, program: &'static str, transport: Option<&'static str>) -> Self {
        Self { name, program, transport, broker: None, nodes: 1 }
    }

    const fn on(name: &'static str, broker: Program, nodes: usize) -> Self {
        Self { name, program: "bench-server", transport: None, broker: Some(broker), nodes }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_the_base_exists() {
        let names: BTreeSet<_> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), SCENARIOS.len());
        for kind in [Kind::Cost, Kind::Nodes] {
            assert!(kind.servers().iter().any(|server| server.name == kind.base()), "{kind:?}");
        }
    }

    #[test]
    fn arguments() {
        let scenario = Scenario::cost("a", "b", "rpc --conns 1").tls();
        let args = scenario.args(&SERVERS[0], true);
        assert_eq!(args, ["rpc", "--conns", "1", "--warmup", "0.3", "--time", "0.7", "--tls"]);
        assert_eq!(scenario.args(&SERVERS[0], false), ["rpc", "--conns", "1", "--tls"]);
        let args = |server| Scenario::nodes("a", "b", "fanout").args(&NODES[server], false);
        assert_eq!(args(1), ["fanout", "--apart", "--conns", "999"]);
        assert_eq!(args(3), ["fanout", "--conns", "999"]);
        assert!(scenario.rounds(true) < scenario.rounds(false));
    }
}
