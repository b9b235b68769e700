//! The link of a hub with a broker.

use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use bytes::Bytes;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
#[cfg(feature = "test")]
use switchboard_cluster::Announced;
use switchboard_cluster::{
    ClientRequestId, ClientRequestReply, Cluster, ClusterConfig, ClusterError, ClusterStats, CommandId, CommandKind,
    CommandOutcome, Health, JoinId, PublishId, QuestionId,
};
use switchboard_core::{
    WsError,
    broker::{Broker, BrokerErrorKind, BrokerSink, Channel, Incarnation, LinkEvent, NodeId, TopicName, UserKey},
};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::Instant,
};
use uuid::Uuid;

use super::clients::Arrival;
use crate::{
    conn::ConnId,
    hub::{Gathered, HubInner},
};

/// The answers of nodes to a question.
pub(super) type Answers = Gathered<Vec<(NodeId, Bytes)>>;

/// The broker of a hub and the times and limits of its cluster, until the hub is built.
#[derive(Clone, Default)]
pub(crate) struct LinkSettings {
    pub(super) broker: Option<Arc<dyn Broker>>,
    pub(super) cluster: ClusterConfig,
}

/// The hub's side of the link.
pub(crate) struct Link {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) state: Mutex<State>,
    /// There is something for the driver.
    pub(super) wake: Notify,
    /// When the clock of the state machine began.
    pub(super) began: Instant,
}

pub(super) struct State {
    pub(super) cluster: Cluster,
    pub(super) waiting: Waiting,
    /// The hub is gone: the driver ends.
    pub(super) is_closed: bool,
}

/// Who waits for an answer of the state machine, which limits their numbers.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) joins: FxHashMap<JoinId, (TopicName, oneshot::Sender<Result<(), ClusterError>>)>,
    pub(super) publishes: FxHashMap<PublishId, oneshot::Sender<Result<(), ClusterError>>>,
    pub(super) commands: FxHashMap<CommandId, oneshot::Sender<CommandOutcome>>,
    pub(super) questions: FxHashMap<QuestionId, oneshot::Sender<Answers>>,
    pub(super) requests: FxHashMap<ClientRequestId, mpsc::UnboundedSender<Arrival>>,
    /// Requests of other nodes. Their tasks end when the sender is dropped.
    pub(super) served: FxHashMap<ClientRequestReply, oneshot::Sender<()>>,
}

impl Link {
    /// Starts the driver of a hub's link. `None` without a broker.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    pub(crate) fn start(settings: LinkSettings, hub: &Weak<HubInner>) -> Option<Arc<Self>> {
        let broker = settings.broker?;
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            panic!("a hub with a broker must be built inside a tokio runtime, which drives the link");
        };
        let node = NodeId::from_bytes(*Uuid::now_v7().as_bytes());
        let [.., a, b, c, d, e, f, g, h] = *Uuid::now_v7().as_bytes();
        let incarnation = Incarnation::from_u64(u64::from_be_bytes([a, b, c, d, e, f, g, h]));
        let link = Arc::new(Self {
            broker,
            state: Mutex::new(State {
                cluster: Cluster::new(node, incarnation, settings.cluster, Duration::ZERO),
                waiting: Waiting::default(),
                is_closed: false,
            }),
            wake: Notify::new(),
            began: Instant::now(),
        });
        runtime.spawn(super::driver::run(Arc::clone(&link), Weak::clone(hub)));
        Some(link)
    }

    /// The time since the link began, also while the process was stopped.
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Gives the state machine an input, and wakes the driver.
    pub(super) fn input<R>(&self, input: impl FnOnce(&mut Cluster, &mut Waiting, Duration) -> R) -> R {
        let now = self.now();
        let mut state = self.state.lock();
        let State { cluster, waiting, .. } = &mut *state;
        let result = input(cluster, waiting, now);
        drop(state);
        self.wake.notify_one();
        result
    }

    /// Adds a connection of a user on this node.
    ///
    /// A user beyond the limits of the cluster, or whose key is longer than a broker can carry, is known on this node only:
    /// then it returns `false`, and the link reports no event of the connection.
    pub(crate) fn user_connected(&self, user: &Arc<str>, conn: ConnId) -> bool {
        let Ok(user) = UserKey::new(Arc::clone(user)) else {
            tracing::warn!(bytes = user.len(), "the key of a user is too long for other nodes to know of it");
            return false;
        };
        let added = self.input(|cluster, _, now| cluster.user_connected(&user, *conn.as_bytes(), now));
        added
            .inspect_err(|error| {
                tracing::warn!(error = error.to_string(), "other nodes do not know of a user of this node");
            })
            .is_ok()
    }

    /// Removes a connection of a user. Returns `false` if only this node knew of it.
    pub(crate) fn user_disconnected(&self, user: &Arc<str>, conn: ConnId) -> bool {
        UserKey::new(Arc::clone(user))
            .is_ok_and(|user| self.input(|cluster, _, now| cluster.user_disconnected(&user, *conn.as_bytes(), now)))
    }

    /// Begins to report the events of users, on any node.
    pub(crate) fn watch_users(&self) {
        self.input(|cluster, _, now| cluster.watch_users(now));
    }

    /// Returns the number of a user's connections to other nodes.
    pub(crate) fn connections_elsewhere(&self, user: &Arc<str>) -> usize {
        let user = UserKey::new(Arc::clone(user));
        user.map_or(0, |user| self.state.lock().cluster.connections_elsewhere(&user))
    }

    /// Returns the number of a user's connections on all nodes.
    pub(crate) fn user_connections(&self, user: &str) -> Gathered<usize> {
        let Ok(user) = UserKey::new(user) else { return Gathered::new(0, false) };
        let known = self.state.lock().cluster.user(&user);
        Gathered::new(known.connections, known.is_complete)
    }

    /// Sends a command to a user's connections on all nodes. Returns how many have got it, on nodes that answered in time.
    pub(super) async fn command(&self, user: &str, kind: CommandKind, payload: Bytes) -> Gathered<usize> {
        let none = Gathered::new(0, false);
        let Ok(user) = UserKey::new(user) else { return none };
        let ended = self.input(|cluster, waiting, now| {
            let command = cluster.command(&user, kind, payload, now)?;
            let (sender, ended) = oneshot::channel();
            waiting.commands.insert(command, sender);
            Ok::<_, ClusterError>(ended)
        });
        match ended {
            Ok(ended) => ended.await.map_or(none, |outcome| Gathered::new(outcome.connections, outcome.is_complete)),
            Err(error) => {
                tracing::warn!(error = error.to_string(), "a command for a user was not sent");
                none
            }
        }
    }

    /// Asks all nodes, this one included. Returns the answers that came in time.
    pub(super) async fn ask(&self, question: Bytes) -> Result<Answers, ClusterError> {
        let ended = self.input(|cluster, waiting, now| {
            let question = cluster.ask(question, now)?;
            let (sender, ended) = oneshot::channel();
            waiting.questions.insert(question, sender);
            Ok(ended)
        })?;
        Ok(ended.await.unwrap_or_else(|_| Gathered::new(Vec::new(), false)))
    }

    /// Tells the other nodes that this one leaves.
    pub(crate) fn drain(&self) {
        self.input(|cluster, _, now| cluster.drain(now));
    }

    pub(crate) fn health(&self) -> Health {
        self.state.lock().cluster.health(self.now())
    }

    pub(crate) fn stats(&self) -> ClusterStats {
        self.state.lock().cluster.stats()
    }

    pub(crate) fn silence(&self) -> Duration {
        self.state.lock().cluster.silence(self.now())
    }

    pub(crate) fn node(&self) -> NodeId {
        self.state.lock().cluster.node()
    }

    /// Returns what this node has told the others of itself; `None` if there is something to tell or no link.
    #[cfg(feature = "test")]
    pub(crate) fn announced(&self) -> Option<Announced> {
        self.state.lock().cluster.announced(self.now())
    }

    /// Returns whether this node knows all that another one has announced.
    #[cfg(feature = "test")]
    pub(crate) fn knows(&self, announced: &Announced) -> bool {
        self.state.lock().cluster.knows(announced)
    }

    /// Ends the driver, which says goodbye to the other nodes.
    pub(crate) fn close(&self) {
        self.state.lock().is_closed = true;
        self.wake.notify_one();
    }
}

/// Called by the task that reads from the broker. The state machine limits what waits for the driver.
impl BrokerSink for Link {
    fn message(&self, channel: &Channel, message: Bytes) {
        self.input(|cluster, _, now| cluster.handle_message(channel, message, now));
    }

    fn link(&self, event: LinkEvent) {
        match &event {
            LinkEvent::Connected => tracing::info!("connected to the broker"),
            LinkEvent::Disconnected { reason } => tracing::warn!(reason = &**reason, "lost the broker"),
            event => tracing::debug!(?event, "the link to the broker changed"),
        }
        self.input(|cluster, _, now| cluster.handle_link(event, now));
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("broker", &self.broker).finish_non_exhaustive()
    }
}

impl fmt::Debug for LinkSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.broker, f)
    }
}

/// Returns the name of a valid topic.
pub(super) fn topic_name(name: &Arc<str>) -> Option<TopicName> {
    // The hub has checked it.
    TopicName::new(Arc::clone(name)).ok()
}

/// The error for a client whose message needed the cluster.
pub(crate) fn wire_error(error: ClusterError) -> WsError {
    match error {
        ClusterError::Broker(BrokerErrorKind::Rejected) => WsError::internal(error),
        ClusterError::Broker(BrokerErrorKind::Unknown) => {
            WsError::unavailable("the broker did not answer in time").with_detail("outcome", "unknown")
        }
        ClusterError::Broker(BrokerErrorKind::Overloaded) => WsError::resource_exhausted("the broker is overloaded"),
        ClusterError::Broker(_) | ClusterError::Draining => WsError::unavailable("the broker is not reachable"),
        error => WsError::resource_exhausted(error.to_string()),
    }
}
