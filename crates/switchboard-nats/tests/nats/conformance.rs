//! The suite of all brokers.

use std::{sync::Arc, time::Duration};

use broker_servers::{Program, Server};
use switchboard_core::{broker::Broker, conformance::Target};
use switchboard_nats::NatsBroker;

struct OnServer(Server);

/// On which all but two channels are heard by wildcards.
struct ByWildcards(Server);

impl Target for OnServer {
    async fn broker(&self) -> Arc<dyn Broker> {
        Arc::new(NatsBroker::builder(format!("nats://{}", self.0.address())).build().unwrap())
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

impl Target for ByWildcards {
    async fn broker(&self) -> Arc<dyn Broker> {
        let builder = NatsBroker::builder(format!("nats://{}", self.0.address()));
        Arc::new(builder.max_exact_subscriptions(2).build().unwrap())
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

mod wildcards {
    use super::*;

    switchboard_core::broker_conformance!(tokio::test, ByWildcards(Server::start(Program::Nats215, &[])));
}
