//! Publishing less often than values arrive: shared by [`Throttle`](super::Throttle) and
//! [`Batch`](super::Batch).
//!
//! Values are buffered. A task takes them when they are due, and publishes them in one message. It
//! runs only while values wait or a pause lasts.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use switchboard_core::Message;
use tokio::{
    runtime::Handle,
    sync::Notify,
    time::{Instant, timeout_at},
};
use tracing::Instrument as _;

use crate::hub::Hub;

/// Values that wait to be published.
pub(crate) trait Buffer: Send + 'static {
    type Taken: Send;

    /// Returns whether there are enough values to publish at once.
    fn is_full(&self) -> bool;

    /// Takes the values of one message.
    fn take(&mut self) -> Option<Self::Taken>;

    /// Returns the number of values.
    fn len(&self) -> usize;
}

/// When buffered values are published.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// At once, followed by a pause.
    Pause(Duration),
    /// This long after the first value.
    Delay(Duration),
}

pub(crate) type Make<B, M> = Box<dyn Fn(<B as Buffer>::Taken) -> M + Send + Sync>;

pub(crate) struct Coalesced<B: Buffer, M> {
    pub(crate) hub: Hub,
    topic: Box<str>,
    pace: Pace,
    make: Make<B, M>,
    /// The runtime that it was created in, for values added outside of one.
    runtime: Option<Handle>,
    state: Mutex<CoalescedState<B>>,
    /// Wakes the task to check the state again.
    wake_task: Notify,
    /// Wakes flushes after something was published.
    settled: Notify,
}

struct CoalescedState<B> {
    buffer: B,
    /// The task is running.
    running: bool,
    /// The buffered values are to be published at once.
    flush: bool,
    /// The number of values added so far.
    added: u64,
    /// The number of values published, replaced or failed so far.
    settled: u64,
}

impl<B: Buffer, M: Message<Meta = ()>> Coalesced<B, M> {
    pub(crate) fn new(hub: &Hub, topic: &str, pace: Pace, buffer: B, make: Make<B, M>) -> Arc<Self> {
        Arc::new(Self {
            hub: hub.clone(),
            topic: topic.into(),
            pace,
            make,
            runtime: Handle::try_current().ok(),
            state: Mutex::new(CoalescedState { buffer, running: false, flush: false, added: 0, settled: 0 }),
            wake_task: Notify::new(),
            settled: Notify::new(),
        })
    }

    pub(crate) fn topic(&self) -> &str {
        &self.topic
    }

    /// Adds a value with `insert`, which may refuse it. Without a runtime, it waits for a flush.
    pub(crate) fn add<E>(self: &Arc<Self>, insert: impl FnOnce(&mut B) -> Result<(), E>) -> Result<(), E> {
        let runtime = Handle::try_current().ok().or_else(|| self.runtime.clone());
        let mut state = self.state.lock();
        insert(&mut state.buffer)?;
        state.added += 1;
        let full = state.buffer.is_full();
        let starts = runtime.filter(|_| !state.running);
        state.running |= starts.is_some();
        drop(state);
        if full {
            self.wake_task.notify_one();
        }
        if let Some(runtime) = starts {
            runtime.spawn(PublishTask { of: Arc::clone(self), ended: false }.run().in_current_span());
        }
        Ok(())
    }

    /// Publishes the buffered values, and waits until they are published.
    pub(crate) async fn flush(&self) {
        let target = self.request_flush();
        loop {
            let mut settled = std::pin::pin!(self.settled.notified());
            // Registered before the state is read, so that no wake-up is missed.
            settled.as_mut().enable();
            let (running, left) = {
                let state = self.state.lock();
                if state.settled >= target {
                    return;
                }
                (state.running, state.buffer.len())
            };
            match (running, left) {
                (true, _) => settled.await,
                // The task was lost, by a panic or with its runtime.
                (false, 0) => return,
                (false, _) => self.publish().await,
            }
        }
    }

    /// Has the task publish the buffered values at once. Returns the number of values added so far.
    pub(crate) fn request_flush(&self) -> u64 {
        let mut state = self.state.lock();
        state.flush = state.buffer.len() > 0;
        let added = state.added;
        drop(state);
        self.wake_task.notify_one();
        added
    }

    /// Waits for this time, or until `is_over`.
    async fn pause(&self, time: Duration, is_over: impl Fn(&CoalescedState<B>) -> bool) {
        let wake_task = async {
            while !is_over(&self.state.lock()) {
                self.wake_task.notified().await;
            }
        };
        match Instant::now().checked_add(time) {
            // It does not matter which of the two ends the pause.
            Some(end) => _ = timeout_at(end, wake_task).await,
            None => wake_task.await,
        }
    }

    /// Takes the values of one message. Also returns how many values are settled once it is
    /// published.
    fn take(&self) -> (Option<B::Taken>, u64) {
        let mut state = self.state.lock();
        let taken = state.buffer.take();
        let left = state.buffer.len();
        state.flush &= left > 0;
        (taken, state.added - left as u64)
    }

    /// Publishes one message of buffered values.
    async fn publish(&self) {
        let (taken, settled) = self.take();
        if let Some(taken) = taken {
            let message = (self.make)(taken);
            if let Err(error) = self.hub.publish(&self.topic, message).await {
                tracing::warn!(
                    topic = &*self.topic,
                    error = error.to_string(),
                    "a throttled or batched message was not published"
                );
            }
        }
        {
            let mut state = self.state.lock();
            state.settled = state.settled.max(settled);
        }
        self.settled.notify_waiters();
    }

    /// Returns whether no value is left, so that the task ends.
    fn is_done(&self) -> bool {
        let mut state = self.state.lock();
        state.running = state.buffer.len() > 0;
        !state.running
    }
}

/// The task that publishes. If it is lost, by a panic or with its runtime, waiting flushes are
/// woken.
struct PublishTask<B: Buffer, M: Message<Meta = ()>> {
    of: Arc<Coalesced<B, M>>,
    ended: bool,
}

impl<B: Buffer, M: Message<Meta = ()>> PublishTask<B, M> {
    async fn run(mut self) {
        while !self.ended {
            let of = &self.of;
            match of.pace {
                Pace::Pause(pause) => {
                    of.publish().await;
                    of.pause(pause, |state| state.flush).await;
                }
                Pace::Delay(delay) => {
                    of.pause(delay, |state| state.flush || state.buffer.is_full()).await;
                    of.publish().await;
                }
            }
            self.ended = of.is_done();
        }
    }
}

impl<B: Buffer, M: Message<Meta = ()>> Drop for PublishTask<B, M> {
    fn drop(&mut self) {
        if !self.ended {
            self.of.state.lock().running = false;
            self.of.settled.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests;
