//! Publishing less often than values come: what [`Throttle`](super::Throttle) and
//! [`Batch`](super::Batch) share.
//!
//! Values are gathered; a task takes what there is when its time has come, and publishes it as one
//! message. The task lives only while something waits or a pause is kept.

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

/// What is gathered until it is published.
pub(crate) trait Buffer: Send + 'static {
    type Taken: Send;

    /// Whether it is not to wait any longer.
    fn is_ripe(&self) -> bool;

    /// What goes into one message, if there is anything.
    fn take(&mut self) -> Option<Self::Taken>;

    /// How many values are left.
    fn len(&self) -> usize;
}

/// When what is gathered is published.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// At once, and then so long nothing.
    Pause(Duration),
    /// So long after the first value came.
    Delay(Duration),
}

pub(crate) type Make<B, M> = Box<dyn Fn(<B as Buffer>::Taken) -> M + Send + Sync>;

pub(crate) struct Coalesced<B: Buffer, M> {
    pub(crate) hub: Hub,
    topic: Box<str>,
    pace: Pace,
    make: Make<B, M>,
    /// Where it was made, for values that come from elsewhere.
    runtime: Option<Handle>,
    state: Mutex<CoalescedState<B>>,
    /// The task is to look again.
    flush_now: Notify,
    /// Something was published.
    settled: Notify,
}

struct CoalescedState<B> {
    gathered: B,
    /// There is a task.
    running: bool,
    /// What there is does not wait for its time.
    flush: bool,
    /// How many values came, and how many of them are done with.
    came: u64,
    settled: u64,
}

impl<B: Buffer, M: Message<Meta = ()>> Coalesced<B, M> {
    pub(crate) fn new(hub: &Hub, topic: &str, pace: Pace, gathered: B, make: Make<B, M>) -> Arc<Self> {
        Arc::new(Self {
            hub: hub.clone(),
            topic: topic.into(),
            pace,
            make,
            runtime: Handle::try_current().ok(),
            state: Mutex::new(CoalescedState { gathered, running: false, flush: false, came: 0, settled: 0 }),
            flush_now: Notify::new(),
            settled: Notify::new(),
        })
    }

    pub(crate) fn topic(&self) -> &str {
        &self.topic
    }

    /// Adds a value, unless `gather` refuses that. Without a runtime it waits for the next flush.
    pub(crate) fn add<E>(self: &Arc<Self>, gather: impl FnOnce(&mut B) -> Result<(), E>) -> Result<(), E> {
        let runtime = Handle::try_current().ok().or_else(|| self.runtime.clone());
        let mut state = self.state.lock();
        gather(&mut state.gathered)?;
        state.came += 1;
        let ripe = state.gathered.is_ripe();
        let starts = runtime.filter(|_| !state.running);
        state.running |= starts.is_some();
        drop(state);
        if ripe {
            self.flush_now.notify_one();
        }
        if let Some(runtime) = starts {
            runtime.spawn(PublishTask { of: Arc::clone(self), ended: false }.run().in_current_span());
        }
        Ok(())
    }

    /// Publishes what there is, and waits until that was done.
    pub(crate) async fn flush(&self) {
        let target = self.end();
        loop {
            let mut settled = std::pin::pin!(self.settled.notified());
            // From here on it is told, so that nothing is missed between looking and waiting.
            settled.as_mut().enable();
            let (running, left) = {
                let state = self.state.lock();
                if state.settled >= target {
                    return;
                }
                (state.running, state.gathered.len())
            };
            match (running, left) {
                (true, _) => settled.await,
                // Its task was lost.
                (false, 0) => return,
                (false, _) => self.publish().await,
            }
        }
    }

    /// What there is need not wait. How many values came so far.
    pub(crate) fn end(&self) -> u64 {
        let mut state = self.state.lock();
        state.flush = state.gathered.len() > 0;
        let came = state.came;
        drop(state);
        self.flush_now.notify_one();
        came
    }

    /// Waits for so long, or until there is a reason not to.
    async fn pause(&self, time: Duration, is_over: impl Fn(&CoalescedState<B>) -> bool) {
        let flush_now = async {
            while !is_over(&self.state.lock()) {
                self.flush_now.notified().await;
            }
        };
        match Instant::now().checked_add(time) {
            // Either will do.
            Some(end) => _ = timeout_at(end, flush_now).await,
            None => flush_now.await,
        }
    }

    /// What makes one message, and how many values are done with once it is published.
    fn take(&self) -> (Option<B::Taken>, u64) {
        let mut state = self.state.lock();
        let taken = state.gathered.take();
        let left = state.gathered.len();
        state.flush &= left > 0;
        (taken, state.came - left as u64)
    }

    /// Publishes one message of what there is.
    async fn publish(&self) {
        let (taken, settled) = self.take();
        if let Some(taken) = taken {
            let message = (self.make)(taken);
            if let Err(error) = self.hub.publish(&self.topic, message).await {
                tracing::warn!(
                    topic = &*self.topic,
                    error = error.to_string(),
                    "what was gathered could not be published"
                );
            }
        }
        {
            let mut state = self.state.lock();
            state.settled = state.settled.max(settled);
        }
        self.settled.notify_waiters();
    }

    /// Whether nothing is left: then the task ends.
    fn is_done(&self) -> bool {
        let mut state = self.state.lock();
        state.running = state.gathered.len() > 0;
        !state.running
    }
}

/// Publishes while there is something. Dropped before, by a panic or with its runtime, it keeps
/// nobody waiting.
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
                    of.pause(delay, |state| state.flush || state.gathered.is_ripe()).await;
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
