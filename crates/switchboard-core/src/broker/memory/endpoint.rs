//! One node on a bus in memory: its subscriptions, and what waits for its sink.

use std::{
    borrow::Cow,
    collections::{HashSet, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;

use crate::broker::{BrokerError, BrokerErrorKind, BrokerSink, Channel, Channels, LinkEvent};

pub(super) struct Endpoint {
    max_queued_messages: usize,
    state: Mutex<EndpointState>,
}

#[derive(Default)]
struct EndpointState {
    sink: Option<Arc<dyn BrokerSink>>,
    link: Link,
    channels: HashSet<Channel>,
    arrivals: VecDeque<Arrival>,
    queued_messages: usize,
    /// Channels with messages that did not fit, to be reported.
    dropped: Vec<Channel>,
    is_held: bool,
    is_deaf: bool,
    answers_are_lost: bool,
    /// Whether a task is passing arrivals to the sink. Only one does, which keeps their order.
    is_delivering: bool,
    deliveries: u64,
    /// Of futures that wait for the end of a delivery.
    wakers: Vec<Waker>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Link {
    #[default]
    NotStarted,
    Up,
    /// Lost by a fault: stays down until a test mends it.
    Cut,
    /// Lost, and connected again at once.
    Down,
    Closed,
}

enum Arrival {
    Message(Channel, Bytes),
    Link(LinkEvent),
}

impl Endpoint {
    pub(super) fn new(max_queued_messages: usize) -> Self {
        Self { max_queued_messages, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, EndpointState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn start(&self, sink: Arc<dyn BrokerSink>) -> Result<(), BrokerError> {
        let mut state = self.lock();
        match state.link {
            Link::NotStarted => {
                state.sink = Some(sink);
                state.link = Link::Up;
                state.arrivals.push_back(Arrival::Link(LinkEvent::Connected));
                Ok(())
            }
            Link::Closed => Err(closed()),
            _ => Err(BrokerError::new(BrokerErrorKind::Rejected, "this broker serves a node already")),
        }
    }

    /// Returns what an operation would be answered now, or why it cannot be made.
    pub(super) fn check(&self) -> Result<Result<(), BrokerError>, BrokerError> {
        let state = self.lock();
        match state.link {
            Link::Up => Ok(state.answer()),
            Link::NotStarted => Err(BrokerError::new(BrokerErrorKind::Unavailable, "not started")),
            Link::Cut | Link::Down => Err(BrokerError::new(BrokerErrorKind::Unavailable, "the link was cut")),
            Link::Closed => Err(closed()),
        }
    }

    pub(super) fn subscribe(&self, channel: &Channel) -> Result<(), BrokerError> {
        let answer = self.check()?;
        if answer.is_ok() {
            self.lock().channels.insert(channel.clone());
        }
        answer
    }

    pub(super) fn unsubscribe(&self, channel: &Channel) -> Result<(), BrokerError> {
        let mut state = self.lock();
        if state.channels.remove(channel) {
            state.retain(|arrival| !matches!(arrival, Arrival::Message(of, _) if of == channel));
            state.dropped.retain(|dropped| dropped != channel);
        }
        if state.link == Link::Closed { Err(closed()) } else { Ok(()) }
    }

    /// Queues a message, and returns whether there is something to deliver.
    pub(super) fn push(&self, channel: &Channel, message: &Bytes) -> bool {
        let mut state = self.lock();
        if state.link != Link::Up || state.is_deaf || !state.channels.contains(channel) {
            return false;
        }
        if state.queued_messages >= self.max_queued_messages {
            if !state.dropped.contains(channel) {
                state.dropped.push(channel.clone());
            }
        } else {
            state.queued_messages += 1;
            state.arrivals.push_back(Arrival::Message(channel.clone(), message.clone()));
        }
        true
    }

    pub(super) fn disconnect(&self, reason: Cow<'static, str>, cut: bool) {
        let mut state = self.lock();
        let was_up = state.link == Link::Up;
        if was_up {
            state.lose_messages();
            state.arrivals.push_back(Arrival::Link(LinkEvent::Disconnected { reason }));
        }
        if was_up || state.link == Link::Down {
            state.link = if cut { Link::Cut } else { Link::Down };
        }
    }

    pub(super) fn connect(&self) {
        let mut state = self.lock();
        if matches!(state.link, Link::Cut | Link::Down) {
            state.link = Link::Up;
            state.is_deaf = false;
            let restored = LinkEvent::Restored(Channels::All);
            state.arrivals.extend([LinkEvent::Connected, restored].map(Arrival::Link));
        }
    }

    pub(super) fn connect_unless_cut(&self) {
        let is_cut = self.lock().link == Link::Cut;
        if !is_cut {
            self.connect();
        }
    }

    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.link = Link::Closed;
        state.arrivals.clear();
        state.queued_messages = 0;
        state.dropped.clear();
        state.channels.clear();
    }

    pub(super) fn deafen(&self) {
        let mut state = self.lock();
        state.is_deaf = true;
        state.lose_messages();
    }

    pub(super) fn lose_answers(&self, lost: bool) {
        self.lock().answers_are_lost = lost;
    }

    pub(super) fn set_held(&self, held: bool) {
        self.lock().is_held = held;
    }

    pub(super) fn queued_messages(&self) -> usize {
        self.lock().queued_messages
    }

    pub(super) fn deliveries(&self) -> u64 {
        self.lock().deliveries
    }

    /// Is ready when the delivery that was under way at the count `from` has ended.
    pub(super) fn poll_delivered(&self, from: u64, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if !state.is_delivering || state.deliveries != from {
            return Poll::Ready(());
        }
        state.wakers.push(cx.waker().clone());
        Poll::Pending
    }

    /// Passes what has arrived to the sink, unless another task does.
    ///
    /// Nothing is locked while the sink runs, so it may call the broker.
    pub(super) fn deliver(&self) {
        let Some(sink) = self.begin_delivering() else { return };
        let _delivering = Delivering(self);
        while let Some(arrival) = self.next_arrival() {
            match arrival {
                Arrival::Message(channel, message) => sink.message(&channel, message),
                Arrival::Link(event) => sink.link(event),
            }
            self.delivered();
        }
    }

    fn begin_delivering(&self) -> Option<Arc<dyn BrokerSink>> {
        let mut state = self.lock();
        if state.is_delivering {
            return None;
        }
        let sink = state.sink.clone()?;
        state.is_delivering = true;
        Some(sink)
    }

    /// Takes the next arrival, or ends the delivery under the same lock: what is queued later finds no task delivering.
    fn next_arrival(&self) -> Option<Arrival> {
        let mut state = self.lock();
        let is_held = state.is_held && matches!(state.arrivals.front(), Some(Arrival::Message(..)));
        let next = if is_held {
            None
        } else if state.dropped.is_empty() {
            state.arrivals.pop_front()
        } else {
            let dropped = std::mem::take(&mut state.dropped);
            Some(Arrival::Link(LinkEvent::Dropped(dropped.into())))
        };
        match &next {
            None => state.is_delivering = false,
            Some(Arrival::Message(..)) => state.queued_messages -= 1,
            Some(Arrival::Link(_)) => {}
        }
        next
    }

    fn delivered(&self) {
        let mut state = self.lock();
        state.deliveries += 1;
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl EndpointState {
    fn answer(&self) -> Result<(), BrokerError> {
        if self.answers_are_lost {
            Err(BrokerError::new(BrokerErrorKind::Unknown, "the answer was lost"))
        } else {
            Ok(())
        }
    }

    fn retain(&mut self, keep: impl Fn(&Arrival) -> bool) {
        self.arrivals.retain(keep);
        self.queued_messages = self.arrivals.iter().filter(|arrival| matches!(arrival, Arrival::Message(..))).count();
    }

    fn lose_messages(&mut self) {
        self.retain(|arrival| matches!(arrival, Arrival::Link(_)));
        self.dropped.clear();
    }
}

/// Ends the delivery if the sink panics, so that the node is not deaf afterwards.
struct Delivering<'a>(&'a Endpoint);

impl Drop for Delivering<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().is_delivering = false;
            self.0.delivered();
        }
    }
}

fn closed() -> BrokerError {
    BrokerError::new(BrokerErrorKind::Closed, "")
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Endpoint")
            .field("link", &state.link)
            .field("channels", &state.channels.len())
            .field("queued_messages", &state.queued_messages)
            .finish_non_exhaustive()
    }
}
