//! A Redis Cluster of three masters.

use crate::{Program, Reply, Server, until};

const ARGUMENTS: [&str; 6] =
    ["--cluster-enabled", "yes", "--cluster-port", "{other_port}", "--cluster-node-timeout", "2000"];

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
        let masters: Vec<_> = (0..3).map(|_| Server::start(Program::Redis, &ARGUMENTS)).collect();
        let slots = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
        for (number, (master, (first, last))) in masters.iter().zip(slots).enumerate() {
            master.ask(&["CLUSTER", "ADDSLOTSRANGE", first, last]);
            master.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]);
        }
        let cluster = Self { masters };
        cluster.masters[1..].iter().for_each(|other| cluster.meet(other));
        until("the servers are a cluster", || cluster.masters.iter().all(is_complete));
        cluster
    }

    fn meet(&self, other: &Server) {
        let (port, bus) = (other.port().to_string(), other.other_port().to_string());
        self.masters[0].ask(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
    }

    /// Starts a replica of a master, and waits until it is in step. It takes over when the master dies.
    ///
    /// # Panics
    ///
    /// If that does not work.
    #[must_use]
    pub fn add_replica(&self, master: usize) -> Server {
        let replica = Server::start(Program::Redis, &ARGUMENTS);
        self.meet(&replica);
        let id = self.id(master);
        until("the replica knows its master", || replica.ask(&["CLUSTER", "NODES"]).text().contains(&id));
        replica.ask(&["CLUSTER", "REPLICATE", &id]);
        until("the replica is in step", || {
            let online = |reply: &Reply| reply.text().lines().any(|line| line.contains("state=online"));
            online(&self.masters[master].ask(&["INFO", "replication"]))
        });
        let name = replica.ask(&["CLUSTER", "MYID"]).text().to_owned();
        until("all masters know the replica", || {
            let knows = |server: &Server| {
                let nodes = server.ask(&["CLUSTER", "NODES"]);
                nodes.text().lines().any(|line| line.starts_with(&name) && line.contains("slave") && line.contains(&id))
            };
            self.masters.iter().all(knows)
        });
        replica
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

fn is_complete(server: &Server) -> bool {
    let reply = server.ask(&["CLUSTER", "INFO"]);
    let has = |line: &str| reply.text().lines().any(|other| other == line);
    has("cluster_state:ok") && has("cluster_known_nodes:3") && has("cluster_slots_ok:16384")
}
