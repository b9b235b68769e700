//! One node of the application under test.

use std::{fmt, panic::Location};

use switchboard_core::broker::MemoryBroker;

use super::Started;
use crate::{
    Hub,
    test::{Connect, HttpClient, TestApp},
};

/// One node of a [`TestCluster`](super::TestCluster): an application, its hub, and its link to the other nodes.
///
/// A node that is dropped says goodbye to the others, once its connections have ended.
///
/// ```
/// use switchboard::{PublishErrorKind, WsRouter, cluster::Health, test::{TestApp, TestCluster}, ws_message};
///
/// #[ws_message("NEWS")]
/// struct News {}
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let cluster = TestCluster::new(|hub| TestApp::new(WsRouter::<()>::new().hub(hub)));
/// let [one, _two] = cluster.start().await;
/// one.broker().cut("pulled the plug");
/// assert_eq!(one.hub().health(), Some(Health::Disconnected));
/// let error = one.hub().publish("news", News {}).await.unwrap_err();
/// assert_eq!(error.kind(), PublishErrorKind::Unavailable);
///
/// one.broker().mend();
/// cluster.settle().await;
/// one.hub().publish("news", News {}).await?;
/// # Ok(())
/// # }
/// ```
pub struct TestNode {
    app: TestApp,
    hub: Hub,
    broker: MemoryBroker,
    started: Started,
}

impl TestNode {
    pub(super) fn new(app: TestApp, hub: Hub, broker: MemoryBroker, started: &Started) -> Self {
        started.add(&hub);
        Self { app, hub, broker, started: started.clone() }
    }

    /// Returns the application of this node.
    #[must_use]
    pub fn app(&self) -> &TestApp {
        &self.app
    }

    /// Returns the hub of this node.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Returns the link of this node, which can be cut, held back and made deaf.
    #[must_use]
    pub fn broker(&self) -> &MemoryBroker {
        &self.broker
    }

    /// Creates a WebSocket connection to this node, as [`TestApp::connect`] does.
    #[track_caller]
    pub fn connect(&self) -> Connect<'_> {
        Connect::new(&self.app, Location::caller())
    }

    /// Creates plain HTTP requests to this node, as [`TestApp::http`] does.
    #[must_use]
    pub fn http(&self) -> HttpClient<'_> {
        self.app.http()
    }

    /// Ends the node without a goodbye, like a machine that has lost its power. The other nodes hear nothing from it any
    /// more: it is down after [`node_timeout`](crate::cluster::ClusterConfig::node_timeout), and its users are offline
    /// after [`node_grace`](crate::cluster::ClusterConfig::node_grace). Its clients notice nothing: drop them, too.
    pub fn crash(self) {
        self.broker.cut("the node has crashed");
    }
}

impl Drop for TestNode {
    fn drop(&mut self) {
        self.started.remove(&self.hub);
    }
}

impl fmt::Debug for TestNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestNode").field("app", &self.app).field("broker", &self.broker).finish_non_exhaustive()
    }
}
