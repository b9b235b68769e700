//! What the tasks of a broker share.

use std::{
    future::ready,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use switchboard_core::{
    adapter::{Inbox, Room},
    broker::{BrokerError, BrokerErrorKind, BrokerFuture, Channel},
};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::{Instant, timeout_at},
};

use crate::{
    operation::{Action, Operation, Outcome},
    settings::Settings,
    subject::subject,
    table::{Subscription, Table},
};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) inbox: Inbox<Subscription>,
    room: Room,
    state: Mutex<State>,
    /// Somebody asked for a new link.
    pub(crate) reconnect: Notify,
    /// How many subscriptions have ended.
    pub(crate) unsubscribed: AtomicU64,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// The queue of the link, while it is up.
    link: Option<mpsc::Sender<Operation>>,
    table: Table,
}

/// An operation that was not queued. To be dropped when nothing is locked.
type Unsent = Option<Box<Operation>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    NotStarted,
    Started,
    Closed,
}

impl Shared {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            inbox: Inbox::new(settings.max_waiting_messages, settings.max_waiting_bytes),
            room: Room::new(settings.max_queued_operations, settings.max_queued_bytes),
            state: Mutex::new(State {
                phase: Phase::NotStarted,
                link: None,
                table: Table::new(settings.max_exact_subscriptions),
            }),
            reconnect: Notify::new(),
            unsubscribed: AtomicU64::new(0),
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

    /// Ends everything.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.phase = Phase::Closed;
        state.link = None;
        state.table.clear();
        drop(state);
        self.inbox.close();
    }

    /// Sets the queue of the link, and returns the subscriptions from before.
    pub(crate) fn set_link(&self, link: Option<mpsc::Sender<Operation>>) -> Vec<Arc<Subscription>> {
        let mut state = self.lock();
        if state.phase != Phase::Closed {
            state.link = link;
        }
        state.table.all()
    }

    /// Returns the subscription whose messages come by the wildcard of its partition.
    pub(crate) fn find_by_wildcard(&self, subject: &str) -> Option<Arc<Subscription>> {
        self.lock().table.find_by_wildcard(subject).map(Arc::clone)
    }

    pub(crate) fn needs_wildcard(&self, partition: u16) -> bool {
        self.lock().table.needs_wildcard(partition)
    }

    pub(crate) fn publish(self: &Arc<Self>, channel: &Channel, message: Bytes) -> BrokerFuture {
        let action = Action::Publish { subject: subject(&self.settings.prefix, &channel.to_string()), message };
        let state = self.lock();
        let queued = state.link().and_then(|link| self.queue(link, action, None));
        drop(state);
        match queued {
            Ok(outcome) => {
                let shared = Arc::clone(self);
                let deadline = Instant::now() + self.settings.response_timeout;
                Box::pin(async move { shared.result(deadline, outcome).await })
            }
            Err((error, unsent)) => {
                drop(unsent);
                Box::pin(ready(Err(error)))
            }
        }
    }

    pub(crate) fn subscribe(self: &Arc<Self>, channel: &Channel) -> BrokerFuture {
        let text = channel.to_string();
        let subject = subject(&self.settings.prefix, &text);
        let mut state = self.lock();
        let link = match state.link() {
            Ok(link) => link.clone(),
            Err((error, _)) => return Box::pin(ready(Err(error))),
        };
        let (subscription, is_new) = state.table.subscribe(channel, &text, &subject);
        let action = Action::Subscribe { subscription: Arc::clone(&subscription) };
        let withdrawn = is_new.then(|| (Arc::clone(self), Arc::clone(&subscription)));
        let queued = self.queue(&link, action, withdrawn);
        drop(state);
        match queued {
            Ok(outcome) => {
                let shared = Arc::clone(self);
                let deadline = Instant::now() + self.settings.response_timeout;
                Box::pin(async move {
                    let result = shared.result(deadline, outcome).await;
                    if is_new && result.is_err() {
                        // It was not confirmed in time, so it must not be confirmed later either.
                        shared.withdraw(&subscription);
                    }
                    result
                })
            }
            Err((error, unsent)) => {
                drop(unsent);
                if is_new {
                    self.withdraw(&subscription);
                }
                Box::pin(ready(Err(error)))
            }
        }
    }

    pub(crate) fn unsubscribe(self: &Arc<Self>, channel: &Channel) -> BrokerFuture {
        let mut state = self.lock();
        if state.phase == Phase::Closed {
            return Box::pin(ready(Err(closed())));
        }
        // The stream of the subscription ends, and the client tells the server.
        let Some(ended) = state.table.unsubscribe(&subject(&self.settings.prefix, &channel.to_string())) else {
            return Box::pin(ready(Ok(())));
        };
        self.left(&state, &ended);
        drop(state);
        let shared = Arc::clone(self);
        Box::pin(async move {
            shared.inbox.settled().await;
            Ok(())
        })
    }

    fn withdraw(&self, subscription: &Arc<Subscription>) {
        let mut state = self.lock();
        if state.table.withdraw(subscription) {
            self.left(&state, subscription);
        }
    }

    /// After the end of a subscription, tells the link if a wildcard is not needed any more.
    fn left(&self, state: &State, ended: &Subscription) {
        self.unsubscribed.fetch_add(1, Ordering::Relaxed);
        if let Some(partition) = ended.wildcard
            && !state.table.needs_wildcard(partition)
            && let Some(link) = &state.link
        {
            // If the queue is full, messages still come, and are ignored.
            let _ = self.queue(link, Action::Leave { partition }, None);
        }
    }

    /// Queues an operation.
    fn queue(
        &self,
        link: &mpsc::Sender<Operation>,
        action: Action,
        withdrawn: Option<(Arc<Self>, Arc<Subscription>)>,
    ) -> Result<oneshot::Receiver<Outcome>, (BrokerError, Unsent)> {
        let (mut operation, outcome) = Operation::new(&self.room, action).map_err(|error| (error, None))?;
        if let Some((shared, subscription)) = withdrawn {
            operation.on_error(move || shared.withdraw(&subscription));
        }
        link.try_send(operation).map_err(|error| match error {
            mpsc::error::TrySendError::Full(operation) => {
                (BrokerError::new(BrokerErrorKind::Overloaded, "the link is busy"), Some(Box::new(operation)))
            }
            mpsc::error::TrySendError::Closed(operation) => (link_down(), Some(Box::new(operation))),
        })?;
        Ok(outcome)
    }

    async fn result(&self, deadline: Instant, outcome: oneshot::Receiver<Outcome>) -> Outcome {
        match timeout_at(deadline, outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(BrokerError::new(BrokerErrorKind::Unknown, "the link was lost")),
            Err(_) => {
                let limit = self.settings.response_timeout;
                let detail = format!("not confirmed within {limit:?} (response_timeout)");
                Err(BrokerError::new(BrokerErrorKind::Unknown, detail))
            }
        }
    }
}

impl State {
    fn link(&self) -> Result<&mpsc::Sender<Operation>, (BrokerError, Unsent)> {
        let error = match self.phase {
            Phase::NotStarted => BrokerError::new(BrokerErrorKind::Unavailable, "not started"),
            Phase::Closed => closed(),
            Phase::Started => match &self.link {
                Some(link) => return Ok(link),
                None => link_down(),
            },
        };
        Err((error, None))
    }
}

pub(crate) fn closed() -> BrokerError {
    BrokerError::new(BrokerErrorKind::Closed, "")
}

fn link_down() -> BrokerError {
    BrokerError::new(BrokerErrorKind::Unavailable, "the link is down")
}
