//! The suite of all brokers.

use std::{sync::Arc, time::Duration};

use broker_servers::{Program, Server};
use switchboard_core::{broker::Broker, conformance::Target};
use switchboard_nats::NatsBroker;

struct OnServer(Server);

impl Target for OnServer {
    async fn broker(&self) -> Arc<dyn Broker> {
        Arc::new(NatsBroker::builder(format!("nats://{}", self.0.address())).build().unwrap())
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The NATS of the system: 2.9 on Debian 12.
mod system {
    use super::*;

    switchboard_core::broker_conformance!(tokio::test, OnServer(Server::start(Program::Nats, &[])));
}

mod nats_2_15 {
    use super::*;

    switchboard_core::broker_conformance!(tokio::test, OnServer(Server::start(Program::Nats215, &[])));
}
