//! A Redis Cluster of three masters.

use crate::{Program, Reply, Server, until};

/// Three masters without replicas, each with a third of the slots.
#[derive(Debug)]
pub struct RedisCluster {
    /// The masters. The first has the slots up to 5460, the last those from 10 923 on.
    pub masters: Vec<Server>,
}

impl RedisCluster {
    /// Starts the servers, and waits until they are a cluster.
    ///
    /// # Panics
    ///
    /// If that does not work.
    #[must_use]
    pub fn start() -> Self {
        let arguments =
            ["--cluster-enabled", "yes", "--cluster-port", "{other_port}", "--cluster-node-timeout", "2000"];
        let masters: Vec<_> = (0..3).map(|_| Server::start(Program::Redis, &arguments)).collect();
        let slots = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
        for (number, (master, (first, last))) in masters.iter().zip(slots).enumerate() {
            master.ask(&["CLUSTER", "ADDSLOTSRANGE", first, last]);
            master.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]);
        }
        let cluster = Self { masters };
        for other in &cluster.masters[1..] {
            let (port, bus) = (other.port().to_string(), cluster_port(other));
            cluster.masters[0].ask(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
        }
        until("the servers are a cluster", || cluster.masters.iter().all(is_complete));
        cluster
    }

    /// Moves a slot from one master to another.
    ///
    /// # Panics
    ///
    /// If that does not work.
    pub fn move_slot(&self, slot: u16, from: usize, to: usize) {
        let (slot, id) = (slot.to_string(), self.id(to));
        self.masters[to].ask(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &self.id(from)]);
        self.masters[from].ask(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id]);
        for master in [to, from] {
            self.masters[master].ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &id]);
        }
    }

    fn id(&self, master: usize) -> String {
        self.masters[master].ask(&["CLUSTER", "MYID"]).text().to_owned()
    }
}

fn cluster_port(server: &Server) -> String {
    let reply = server.ask(&["CONFIG", "GET", "cluster-port"]);
    reply.list().get(1).map(Reply::text).unwrap_or_default().to_owned()
}

fn is_complete(server: &Server) -> bool {
    let reply = server.ask(&["CLUSTER", "INFO"]);
    let has = |line: &str| reply.text().lines().any(|other| other == line);
    has("cluster_state:ok") && has("cluster_known_nodes:3") && has("cluster_slots_ok:16384")
}
