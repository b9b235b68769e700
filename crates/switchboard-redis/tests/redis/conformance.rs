//! The suite of all brokers.

use std::{sync::Arc, time::Duration};

use broker_servers::{Program, RedisCluster, RedisSentinel, Server};
use switchboard_core::{broker::Broker, conformance::Target};
use switchboard_redis::{RedisBroker, RedisBrokerBuilder};

/// A server, and how to reach it.
struct OnServer<S> {
    _server: S,
    builder: RedisBrokerBuilder,
}

impl<S> OnServer<S> {
    fn new(server: S, builder: impl FnOnce(&S) -> RedisBrokerBuilder) -> Self {
        Self { builder: builder(&server), _server: server }
    }
}

impl OnServer<Server> {
    fn standalone(program: Program) -> Self {
        Self::new(Server::start(program, &[]), |server| RedisBroker::builder(format!("redis://{}", server.address())))
    }
}

impl<S: Send + Sync> Target for OnServer<S> {
    async fn broker(&self) -> Arc<dyn Broker> {
        Arc::new(self.builder.clone().build().unwrap())
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

mod redis {
    use super::*;

    switchboard_core::broker_conformance!(tokio::test, OnServer::standalone(Program::Redis));
}

mod valkey {
    use super::*;

    switchboard_core::broker_conformance!(tokio::test, OnServer::standalone(Program::Valkey));
}

mod sentinel {
    use super::*;

    switchboard_core::broker_conformance!(
        tokio::test,
        OnServer::new(RedisSentinel::start(), |servers| {
            RedisBroker::builder(format!("redis://{}", servers.sentinel.address())).sentinel_master("mymaster")
        })
    );
}

mod cluster {
    use super::*;

    switchboard_core::broker_conformance!(
        tokio::test,
        OnServer::new(RedisCluster::start(), |cluster| {
            RedisBroker::builder(format!("redis://{}", cluster.masters[0].address())).cluster()
        })
    );
}
