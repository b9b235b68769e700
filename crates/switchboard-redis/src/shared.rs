//! What the tasks of a broker share: its subscriptions, and the way to the servers.

use std::{
    future::ready,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use redis::{PushKind, Value};
use switchboard_core::{
    adapter::{Inbox, Room, Subscription as _},
    broker::{BrokerError, BrokerErrorKind, BrokerFuture, Channel, Channels, LinkEvent},
};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::{Instant, timeout_at},
};

use crate::{
    command::Command,
    layout::Layout,
    link::{NoAnswer, Outcome, Request, error_of_server, link_down},
    settings::Settings,
    table::{Subscription, Table},
};

/// The queues of the two connections to one server.
#[derive(Debug, Clone)]
pub(crate) struct Queues {
    /// Differs for each pair of connections.
    pub(crate) id: u64,
    pub(crate) commands: mpsc::Sender<Request>,
    pub(crate) subscriptions: mpsc::Sender<Request>,
}

impl Queues {
    /// Subscribes to one channel of Redis. The queue always has room for a batch of these.
    fn resubscribe(&self, sharded: bool, channel: Bytes) -> oneshot::Receiver<Outcome> {
        let (answer, outcome) = oneshot::channel();
        let request = Request::internal(Command::Subscribe { sharded, channel }, |outcome| drop(answer.send(outcome)));
        // Without room, the request is dropped, and says so.
        let _ = self.subscriptions.try_send(request);
        outcome
    }
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) layout: Layout,
    pub(crate) inbox: Inbox<Subscription>,
    room: Room,
    state: Mutex<State>,
    /// Somebody asked for a new link.
    pub(crate) reconnect: Notify,
    /// The servers may have changed their parts.
    pub(crate) refresh: Notify,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// The link of each partition, while it is up.
    routes: Vec<Option<Queues>>,
    table: Table,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    NotStarted,
    Started,
    Closed,
}

impl Shared {
    pub(crate) fn new(settings: Settings) -> Self {
        let layout = Layout::new(&settings.prefix, settings.is_cluster());
        let partitions = layout.partitions();
        Self {
            inbox: Inbox::new(settings.max_waiting_messages, settings.max_waiting_bytes),
            room: Room::new(settings.max_queued_operations, settings.max_queued_bytes),
            state: Mutex::new(State {
                phase: Phase::NotStarted,
                routes: vec![None; partitions],
                table: Table::new(partitions),
            }),
            reconnect: Notify::new(),
            refresh: Notify::new(),
            layout,
            settings,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to start, unless it has been started.
    pub(crate) fn begin(&self) -> Result<(), BrokerError> {
        let mut state = self.lock();
        match state.phase {
            Phase::NotStarted => state.phase = Phase::Started,
            Phase::Started => {
                return Err(BrokerError::new(BrokerErrorKind::Rejected, "this broker serves a node already"));
            }
            Phase::Closed => return Err(closed()),
        }
        Ok(())
    }

    /// Goes back to before the start, after it has failed.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Started {
            state.phase = Phase::NotStarted;
        }
    }

    /// Ends everything. Returns whether it was not closed before.
    pub(crate) fn close(&self) -> bool {
        let mut state = self.lock();
        let was_open = state.phase != Phase::Closed;
        state.phase = Phase::Closed;
        state.routes.fill(None);
        state.table.clear();
        drop(state);
        self.inbox.close();
        was_open
    }

    pub(crate) fn publish(self: &Arc<Self>, channel: &Channel, message: Bytes) -> BrokerFuture {
        let route = self.layout.route(&channel.to_string());
        let sharded = self.layout.is_sharded();
        let command = Command::Publish { sharded, channel: route.wire, frame: route.frame, message };
        let (answer, outcome) = oneshot::channel();
        let queued = {
            let state = self.lock();
            let queues = state.queues(route.partition);
            queues.and_then(|queues| {
                let on_outcome = |outcome| drop(answer.send(outcome));
                Request::queue(&self.room, &queues.commands, command, on_outcome)
            })
        };
        match queued {
            Ok(()) => {
                let shared = Arc::clone(self);
                let deadline = Instant::now() + self.settings.timing.response_timeout;
                Box::pin(async move { shared.result(deadline, outcome).await })
            }
            Err(error) => Box::pin(ready(Err(error))),
        }
    }

    /// Queues a command for the server of a partition.
    pub(crate) fn command(
        &self,
        partition: usize,
        command: Command,
        on_outcome: impl FnOnce(Outcome) + Send + 'static,
    ) -> Result<(), BrokerError> {
        let state = self.lock();
        Request::queue(&self.room, &state.queues(partition)?.commands, command, on_outcome)
    }

    pub(crate) fn subscribe(self: &Arc<Self>, channel: &Channel) -> BrokerFuture {
        let text = channel.to_string();
        let route = self.layout.route(&text);
        let sharded = self.layout.is_sharded();
        let (answer, outcome) = oneshot::channel();
        let subscription = {
            let mut state = self.lock();
            let queues = match state.queues(route.partition) {
                Ok(queues) => queues.clone(),
                Err(error) => return Box::pin(ready(Err(error))),
            };
            let (subscription, is_new) = state.table.subscribe(&text, channel, route.partition);
            let (shared, mine, key) = (Arc::clone(self), Arc::clone(&subscription), text.clone());
            let on_outcome = move |outcome: Outcome| {
                if is_new && !matches!(&outcome, Ok(value) if !matches!(value, Value::ServerError(_))) {
                    shared.lock().table.withdraw(&key, &mine);
                }
                drop(answer.send(outcome));
            };
            let command = Command::Subscribe { sharded, channel: route.wire };
            if let Err(error) = Request::queue(&self.room, &queues.subscriptions, command, on_outcome) {
                if is_new {
                    state.table.withdraw(&text, &subscription);
                }
                return Box::pin(ready(Err(error)));
            }
            is_new.then_some(subscription)
        };
        let shared = Arc::clone(self);
        let deadline = Instant::now() + self.settings.timing.response_timeout;
        Box::pin(async move {
            let result = shared.result(deadline, outcome).await;
            if result.as_ref().is_err_and(BrokerError::is_unknown)
                && let Some(subscription) = subscription
            {
                // It was not confirmed in time, so it must not be confirmed later either.
                shared.lock().withdraw(&shared, &text, &subscription);
            }
            result
        })
    }

    pub(crate) fn unsubscribe(self: &Arc<Self>, channel: &Channel) -> BrokerFuture {
        let text = channel.to_string();
        let (answer, outcome) = oneshot::channel();
        let queued = {
            let mut state = self.lock();
            if state.phase == Phase::Closed {
                return Box::pin(ready(Err(closed())));
            }
            if !state.table.unsubscribe(&text) {
                return Box::pin(ready(Ok(())));
            }
            state.leave(self, &text, |outcome| drop(answer.send(outcome)))
        };
        let shared = Arc::clone(self);
        let deadline = Instant::now() + self.settings.timing.response_timeout;
        Box::pin(async move {
            let result = match queued {
                Ok(true) => match timeout_at(deadline, outcome).await {
                    // With its link, the subscription has ended.
                    Ok(Ok(Err(_)) | Err(_)) => Ok(()),
                    Ok(Ok(Ok(value))) => shared.check(&value),
                    Err(_) => Err(shared.no_answer()),
                },
                Ok(false) => Ok(()),
                Err(error) => Err(error),
            };
            shared.inbox.settled().await;
            result
        })
    }

    /// Waits for the outcome of an operation.
    async fn result(&self, deadline: Instant, outcome: oneshot::Receiver<Outcome>) -> Result<(), BrokerError> {
        match timeout_at(deadline, outcome).await {
            Ok(Ok(Ok(value))) => self.check(&value),
            Ok(Ok(Err(NoAnswer::NotSent))) => {
                Err(BrokerError::new(BrokerErrorKind::Unavailable, "the link was lost before the command was sent"))
            }
            Ok(Ok(Err(NoAnswer::Lost)) | Err(_)) => {
                Err(BrokerError::new(BrokerErrorKind::Unknown, "the link was lost before the answer"))
            }
            Err(_) => Err(self.no_answer()),
        }
    }

    fn no_answer(&self) -> BrokerError {
        let detail = format!("no answer within {:?} (response_timeout)", self.settings.timing.response_timeout);
        BrokerError::new(BrokerErrorKind::Unknown, detail)
    }

    pub(crate) fn check(&self, value: &Value) -> Result<(), BrokerError> {
        let Value::ServerError(error) = value else { return Ok(()) };
        if matches!(error.code(), "MOVED" | "CLUSTERDOWN") {
            self.refresh.notify_one();
        }
        Err(error_of_server(error))
    }

    /// Takes what the server pushes. Returns the partition whose subscription it has ended.
    pub(crate) fn on_push(&self, kind: &PushKind, data: Vec<Value>) -> Option<usize> {
        let mut data = data.into_iter();
        let (Some(Value::BulkString(wire)), second) = (data.next(), data.next()) else { return None };
        match (kind, second) {
            (PushKind::Message | PushKind::SMessage, Some(Value::BulkString(message))) => {
                let message = Bytes::from(message);
                let (text, begin) = self.layout.text(&wire, &message)?;
                let subscription = self.lock().table.get(text).map(Arc::clone)?;
                self.inbox.message(&subscription, message.slice(begin..));
                None
            }
            (PushKind::SUnsubscribe, _) => self.layout.partition_of(&wire),
            _ => None,
        }
    }

    /// Subscribes to a channel again, unless it has ended. Under the lock, so that its end comes before or after.
    pub(crate) fn resubscribe_channel(&self, queues: &Queues, channel: &Channel) -> Option<oneshot::Receiver<Outcome>> {
        let text = channel.to_string();
        let state = self.lock();
        state.table.get(&text)?;
        Some(queues.resubscribe(false, self.layout.route(&text).wire))
    }

    /// As [`resubscribe_channel`](Self::resubscribe_channel), to the sharded channel of a partition.
    pub(crate) fn resubscribe_partition(
        &self,
        queues: &Queues,
        partition: usize,
    ) -> Option<oneshot::Receiver<Outcome>> {
        let state = self.lock();
        state.table.has_partition(partition).then(|| queues.resubscribe(true, self.layout.partition_channel(partition)))
    }

    /// Sets the link of one partition, and returns whether it was another one.
    pub(crate) fn set_route(&self, partition: usize, queues: Option<&Queues>) -> bool {
        let mut state = self.lock();
        if state.phase == Phase::Closed {
            return false;
        }
        let route = &mut state.routes[partition];
        let changed = route.as_ref().map(|queues| queues.id) != queues.map(|queues| queues.id);
        *route = queues.cloned();
        changed
    }

    /// Whether a partition has the link of this id.
    pub(crate) fn is_route(&self, partition: usize, id: u64) -> bool {
        self.lock().routes[partition].as_ref().is_some_and(|queues| queues.id == id)
    }

    pub(crate) fn has_partition(&self, partition: usize) -> bool {
        self.lock().table.has_partition(partition)
    }

    pub(crate) fn channels(&self, of: impl FnMut(usize) -> bool) -> Vec<Channel> {
        self.lock().table.channels(of)
    }

    /// Reports a change that concerns the channels of some partitions, unless there are none.
    pub(crate) fn report(&self, of: impl FnMut(usize) -> bool, event: impl FnOnce(Channels) -> LinkEvent) {
        let channels = self.channels(of);
        if !channels.is_empty() {
            self.inbox.link(event(channels.into()));
        }
    }
}

impl State {
    fn queues(&self, partition: usize) -> Result<&Queues, BrokerError> {
        match self.phase {
            Phase::NotStarted => Err(BrokerError::new(BrokerErrorKind::Unavailable, "not started")),
            Phase::Closed => Err(closed()),
            Phase::Started => self.routes[partition].as_ref().ok_or_else(link_down),
        }
    }

    fn withdraw(&mut self, shared: &Shared, text: &str, subscription: &Arc<Subscription>) {
        if subscription.is_active() {
            self.table.withdraw(text, subscription);
            // If the queue is full, messages still come, and are ignored.
            let _ = self.leave(shared, text, drop);
        }
    }

    /// Ends a subscription on the server, unless others need it. Returns whether there will be an answer.
    fn leave(
        &self,
        shared: &Shared,
        text: &str,
        on_outcome: impl FnOnce(Outcome) + Send + 'static,
    ) -> Result<bool, BrokerError> {
        let route = shared.layout.route(text);
        let sharded = shared.layout.is_sharded();
        let Some(queues) = &self.routes[route.partition] else { return Ok(false) };
        if sharded && self.table.has_partition(route.partition) {
            return Ok(false);
        }
        let command = Command::Unsubscribe { sharded, channel: route.wire };
        match Request::queue(&shared.room, &queues.subscriptions, command, on_outcome) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == BrokerErrorKind::Unavailable => Ok(false),
            Err(error) => Err(error),
        }
    }
}

pub(crate) fn closed() -> BrokerError {
    BrokerError::new(BrokerErrorKind::Closed, "")
}
