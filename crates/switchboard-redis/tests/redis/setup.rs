//! The adapter under test, and how tests start it.

use std::time::Duration;

use broker_servers::{
    Program, Server,
    cases::{Adapter, Limits},
};
use switchboard_redis::{RedisBroker, RedisBrokerBuilder};

pub(crate) type Node = broker_servers::Node<RedisBroker>;

pub(crate) struct Redis;

impl Adapter for Redis {
    type Broker = RedisBroker;

    const SERVER: Program = Program::Redis;

    fn build(address: &str, limits: &Limits) -> RedisBroker {
        let builder = RedisBroker::builder(format!("redis://{address}"))
            .connect_timeout(limits.connect_timeout)
            .response_timeout(limits.response_timeout)
            .ping_interval(limits.ping_interval)
            .max_queued_operations(limits.max_queued_operations)
            .max_queued_bytes(limits.max_queued_bytes)
            .max_waiting_messages(limits.max_waiting_messages);
        builder.build().unwrap()
    }
}

pub(crate) fn builder(server: &Server) -> RedisBrokerBuilder {
    // Patient, because a machine may be busy with other tests.
    RedisBroker::builder(format!("redis://{}", server.address())).response_timeout(Duration::from_secs(10))
}

pub(crate) async fn start(builder: RedisBrokerBuilder) -> Node {
    Node::start(builder.build().unwrap()).await
}
