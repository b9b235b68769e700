//! The adapter under test, and how tests start it.

use std::time::Duration;

use broker_servers::{
    Program, Server,
    cases::{Adapter, Limits},
};
use switchboard_nats::{NatsBroker, NatsBrokerBuilder};

pub(crate) type Node = broker_servers::Node<NatsBroker>;

pub(crate) struct Nats;

impl Adapter for Nats {
    type Broker = NatsBroker;

    const SERVER: Program = Program::Nats;

    fn build(address: &str, limits: &Limits) -> NatsBroker {
        let builder = NatsBroker::builder(format!("nats://{address}"))
            .connect_timeout(limits.connect_timeout)
            .response_timeout(limits.response_timeout)
            .ping_interval(limits.ping_interval)
            .max_queued_operations(limits.max_queued_operations)
            .max_queued_bytes(limits.max_queued_bytes)
            .max_waiting_messages(limits.max_waiting_messages);
        builder.build().unwrap()
    }
}

pub(crate) fn builder(server: &Server) -> NatsBrokerBuilder {
    // Patient, because a machine may be busy with other tests.
    NatsBroker::builder(format!("nats://{}", server.address())).response_timeout(Duration::from_secs(10))
}

pub(crate) async fn start(builder: NatsBrokerBuilder) -> Node {
    Node::start(builder.build().unwrap()).await
}
