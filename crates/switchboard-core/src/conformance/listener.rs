//! A sink that records, and lets a test wait for what it recorded.

use std::{
    collections::HashMap,
    future::poll_fn,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use bytes::Bytes;

use super::Target;
use crate::broker::{BrokerSink, Channel, LinkEvent};

#[derive(Debug, Default)]
pub(super) struct Listener {
    recorded: Mutex<Recorded>,
    /// How long each message takes, as a sink should not.
    slowness: Mutex<Duration>,
}

#[derive(Debug, Default)]
pub(super) struct Recorded {
    messages: HashMap<Channel, Vec<Bytes>>,
    pub(super) events: Vec<LinkEvent>,
    waker: Option<Waker>,
}

impl Recorded {
    pub(super) fn of(&self, channel: &Channel) -> &[Bytes] {
        self.messages.get(channel).map_or(&[], Vec::as_slice)
    }

    pub(super) fn total(&self) -> usize {
        self.messages.values().map(Vec::len).sum()
    }
}

impl BrokerSink for Listener {
    fn message(&self, channel: &Channel, message: Bytes) {
        let slowness = *self.slowness.lock().unwrap_or_else(PoisonError::into_inner);
        if !slowness.is_zero() {
            std::thread::sleep(slowness);
        }
        self.record(|recorded| recorded.messages.entry(channel.clone()).or_default().push(message));
    }

    fn link(&self, event: LinkEvent) {
        self.record(|recorded| recorded.events.push(event));
    }
}

impl Listener {
    pub(super) fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, change: impl FnOnce(&mut Recorded)) {
        let mut recorded = self.lock();
        change(&mut recorded);
        let waker = recorded.waker.take();
        drop(recorded);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Keeps only the first `count` messages of a channel.
    pub(super) fn forget(&self, channel: &Channel, count: usize) {
        self.record(|recorded| recorded.messages.entry(channel.clone()).or_default().truncate(count));
    }

    pub(super) fn set_slowness(&self, slowness: Duration) {
        *self.slowness.lock().unwrap_or_else(PoisonError::into_inner) = slowness;
    }

    /// Waits until a condition holds.
    pub(super) async fn wait(&self, target: &impl Target, what: &str, holds: impl Fn(&Recorded) -> bool) {
        let condition = poll_fn(|cx| {
            let mut recorded = self.lock();
            if holds(&recorded) {
                return Poll::Ready(());
            }
            recorded.waker = Some(cx.waker().clone());
            Poll::Pending
        });
        within(target, what, condition).await;
    }
}

/// Waits for a future, and fails with `what` after the target's patience.
pub(super) async fn within<R>(target: &impl Target, what: &str, future: impl Future<Output = R>) -> R {
    let mut future = pin!(future);
    let mut timeout = pin!(target.sleep(target.patience()));
    let result = poll_fn(|cx| {
        if let Poll::Ready(result) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(result));
        }
        timeout.as_mut().poll(cx).map(|()| None)
    });
    result.await.unwrap_or_else(|| panic!("within {:?}: {what}", target.patience()))
}
