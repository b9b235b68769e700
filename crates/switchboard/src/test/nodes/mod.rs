//! Several nodes of the application under test, joined in memory.

mod node;

use std::{
    fmt,
    future::Future,
    panic::Location,
    sync::{Arc, Weak},
    time::Duration,
};

use parking_lot::Mutex;
use switchboard_core::broker::MemoryBus;
use tokio::time::{Instant, sleep};

pub use self::node::TestNode;
use super::{PATIENCE, TestApp, failure::fail};
use crate::{Hub, HubBuilder, hub::HubInner};

/// How often to look whether the nodes know each other.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Starts nodes of one application, joined by a [`MemoryBus`] (features `test` and `cluster`).
///
/// Each node has its own hub and its own [`TestApp`], and a broker whose link a test can cut.
///
/// ```
/// use switchboard::{Conn, Hub, WsError, WsRouter, test::{TestApp, TestCluster}, ws_message};
///
/// #[ws_message("SAY")]
/// struct Say {
///     text: String,
/// }
///
/// #[ws_message("SAID")]
/// struct Said {
///     text: String,
/// }
///
/// async fn say(conn: Conn, say: Say) -> Result<(), WsError> {
///     conn.publish("lobby", Said { text: say.text }).await?;
///     Ok(())
/// }
///
/// fn app(hub: Hub) -> TestApp {
///     let join = async |conn: Conn| conn.subscribe("lobby").await.map(drop);
///     TestApp::new(WsRouter::new().hub(hub).on_open(join).on(say))
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let [one, two] = TestCluster::new(app).start().await;
/// let (mut ann, mut bob) = (one.connect().await?, two.connect().await?);
/// ann.send(Say { text: "hi".into() }).await;
/// assert_eq!(bob.expect::<Said>().await.text, "hi");
/// # Ok(())
/// # }
/// ```
#[must_use = "does nothing until nodes are started"]
pub struct TestCluster {
    app: Box<dyn Fn(Hub) -> TestApp + Send + Sync>,
    change: Box<dyn Fn(HubBuilder) -> HubBuilder + Send + Sync>,
    bus: MemoryBus,
    patience: Duration,
    started: Started,
}

impl TestCluster {
    /// Creates a cluster without nodes. `app` makes the application of one node from its hub.
    pub fn new(app: impl Fn(Hub) -> TestApp + Send + Sync + 'static) -> Self {
        Self {
            app: Box::new(app),
            change: Box::new(|builder| builder),
            bus: MemoryBus::new(),
            patience: PATIENCE,
            started: Started::default(),
        }
    }

    /// Sets how the hub of each node is built. The builder has the node's broker already.
    ///
    /// ```
    /// use switchboard::{TopicOptions, WsRouter, test::{TestApp, TestCluster}};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let cluster = TestCluster::new(|hub| TestApp::new(WsRouter::<()>::new().hub(hub)))
    ///     .hub(|builder| builder.topic("room:*", TopicOptions::new().no_self_delivery()));
    /// let [_one, _two, _three] = cluster.start().await;
    /// # }
    /// ```
    pub fn hub(mut self, build: impl Fn(HubBuilder) -> HubBuilder + Send + Sync + 'static) -> Self {
        self.change = Box::new(build);
        self
    }

    /// Sets the bus, for example one with a smaller limit of queued messages, or one that hubs outside of the test kit
    /// share.
    pub fn bus(mut self, bus: MemoryBus) -> Self {
        self.bus = bus;
        self
    }

    /// Sets how long [`start`](Self::start) and [`settle`](Self::settle) wait, in tokio's time. Default: 5 seconds.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Starts nodes, as many as the caller takes, and waits until they and those started before know each other.
    ///
    /// Nodes leave the cluster when they are dropped, or [crash](TestNode::crash).
    ///
    /// # Panics
    ///
    /// If the nodes do not know each other in time, and as [`HubBuilder::build`].
    ///
    /// # Cancel safety
    ///
    /// If dropped before it is ready, the nodes leave the cluster.
    #[track_caller]
    pub fn start<const N: usize>(&self) -> impl Future<Output = [TestNode; N]> {
        let at = Location::caller();
        async move {
            let nodes = std::array::from_fn(|_| self.node());
            self.settled(at).await;
            nodes
        }
    }

    /// Waits until all nodes know each other and each other's users: after a user connects to one node, or after a link
    /// was mended.
    ///
    /// ```
    /// use switchboard::{Conn, WsRouter, test::{TestApp, TestCluster}};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let identify = async |conn: Conn| conn.identify("ann");
    /// let cluster = TestCluster::new(move |hub| TestApp::new(WsRouter::new().hub(hub).on_open(identify)));
    /// let [one, two] = cluster.start().await;
    /// let _ann = one.connect().await?;
    /// one.app().settle().await;
    /// cluster.settle().await;
    /// assert!(two.hub().user("ann").is_online().await);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If they do not in time, for example because a link is cut.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only waits.
    #[track_caller]
    pub fn settle(&self) -> impl Future<Output = ()> {
        self.settled(Location::caller())
    }

    fn node(&self) -> TestNode {
        let broker = self.bus.broker();
        let hub = (self.change)(Hub::builder().broker(broker.clone())).build();
        let app = (self.app)(hub.clone()).with_hub(&hub);
        TestNode::new(app, hub, broker, &self.started)
    }

    async fn settled(&self, at: &Location<'_>) {
        let deadline = Instant::now() + self.patience;
        while let Some(reason) = self.unsettled() {
            if Instant::now() >= deadline {
                fail(at, format_args!("waited {:?}, but {reason}", self.patience));
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Returns what is still to be waited for. Nodes are numbered in the order in which they were started.
    fn unsettled(&self) -> Option<String> {
        let hubs = self.started.hubs();
        let links = || hubs.iter().enumerate().filter_map(|(index, hub)| Some((index, hub.link()?)));
        links().find_map(|(index, link)| {
            let Some(announced) = link.announced() else {
                return Some(format!("node {index} has no link to the others"));
            };
            let stranger = links().find(|(other, link)| *other != index && !link.knows(&announced));
            stranger.map(|(other, _)| format!("node {other} does not know node {index}, or not all of its users"))
        })
    }
}

/// The nodes that have not ended.
#[derive(Clone, Default)]
struct Started(Arc<Mutex<Vec<Weak<HubInner>>>>);

impl Started {
    fn add(&self, hub: &Hub) {
        self.0.lock().push(Arc::downgrade(hub.inner()));
    }

    fn remove(&self, hub: &Hub) {
        self.0.lock().retain(|other| other.as_ptr() != Arc::as_ptr(hub.inner()));
    }

    fn hubs(&self) -> Vec<Arc<HubInner>> {
        self.0.lock().iter().filter_map(Weak::upgrade).collect()
    }
}

impl fmt::Debug for TestCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestCluster").field("bus", &self.bus).field("patience", &self.patience).finish_non_exhaustive()
    }
}
