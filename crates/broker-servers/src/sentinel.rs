//! Redis behind Sentinel.

use tempfile::TempDir;

use crate::{Program, Reply, Server, until};

/// A master and a replica, watched by one Sentinel, which knows the master as `mymaster`.
#[derive(Debug)]
pub struct RedisSentinel {
    /// The master at first, and its replica.
    pub servers: [Server; 2],
    /// The Sentinel.
    pub sentinel: Server,
    /// Of the Sentinel's file.
    _folder: TempDir,
}

impl RedisSentinel {
    /// Starts the servers, and waits until the Sentinel knows the replica.
    ///
    /// # Panics
    ///
    /// If that does not work.
    #[must_use]
    pub fn start() -> Self {
        let master = Server::start(Program::Redis, &["--repl-diskless-sync-delay", "0"]);
        let master_port = master.port().to_string();
        let replica = Server::start(Program::Redis, &["--replicaof", "127.0.0.1", &master_port]);
        until("the replica is in step", || {
            let reply = master.ask(&["INFO", "replication"]);
            reply.text().lines().any(|line| line.contains("state=online"))
        });
        // A Sentinel keeps what it knows in its file, so there must be one.
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}"));
        let file = folder.path().join("sentinel.conf");
        let text = format!(
            "sentinel monitor mymaster 127.0.0.1 {master_port} 1\n\
             sentinel down-after-milliseconds mymaster 1000\n\
             sentinel failover-timeout mymaster 5000\n"
        );
        std::fs::write(&file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let sentinel = Server::start(Program::Redis, &[&file.display().to_string(), "--sentinel"]);
        let servers = Self { servers: [master, replica], sentinel, _folder: folder };
        until("the Sentinel knows the replica", || {
            let reply = servers.sentinel.ask(&["SENTINEL", "REPLICAS", "mymaster"]);
            let replica = reply.list().first().map(Reply::list).unwrap_or_default();
            replica.windows(2).any(|pair| pair[0].text() == "master-link-status" && pair[1].text() == "ok")
        });
        servers
    }

    /// Returns the port of the master, as the Sentinel names it.
    ///
    /// # Panics
    ///
    /// If the Sentinel does not answer.
    #[must_use]
    pub fn master_port(&self) -> u16 {
        let reply = self.sentinel.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"]);
        reply.list().get(1).and_then(|port| port.text().parse().ok()).unwrap_or_default()
    }
}
