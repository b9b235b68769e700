//! Takes messages from the client, always, and finds out if it has dropped some.

use std::{
    borrow::Cow,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use async_nats::{Message, Statistics, Subscriber};
use futures_util::{
    FutureExt, Stream, StreamExt,
    stream::{Abortable, SelectAll},
};
use switchboard_core::broker::{Channels, LinkEvent};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use crate::{shared::Shared, table::Subscription};

/// How often the counters are compared.
const CHECK: Duration = Duration::from_millis(250);
/// Checks that are left out after a subscription has ended: until the server knows of it.
const PAUSE: u32 = 8;

/// The messages of one subscription of the client.
pub(super) struct Messages {
    /// Whose messages these are. None if they come by a wildcard.
    pub(super) subscription: Option<Arc<Subscription>>,
    pub(super) subscriber: Subscriber,
}

impl Stream for Messages {
    type Item = (Option<Arc<Subscription>>, Message);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let message = self.subscriber.poll_next_unpin(cx);
        message.map(|message| message.map(|message| (self.subscription.clone(), message)))
    }
}

/// Runs until the link ends.
pub(super) async fn run(
    shared: Arc<Shared>,
    mut new_streams: mpsc::Receiver<Abortable<Messages>>,
    received: Arc<AtomicU64>,
    statistics: Arc<Statistics>,
) -> Cow<'static, str> {
    let mut streams = SelectAll::new();
    let mut checks = interval(CHECK);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut losses = Losses::default();
    let take = |(subscription, message): (Option<Arc<Subscription>>, Message)| {
        received.fetch_add(1, Ordering::Relaxed);
        if let Some(subscription) = subscription.or_else(|| shared.find_by_wildcard(&message.subject)) {
            shared.inbox.message(&subscription, message.payload);
        }
    };
    loop {
        tokio::select! {
            Some(message) = streams.next(), if !streams.is_empty() => take(message),
            stream = new_streams.recv() => match stream {
                Some(stream) => streams.push(stream),
                None => return "the link ends".into(),
            },
            _ = checks.tick() => {
                let counted = statistics.in_messages.load(Ordering::Acquire);
                // Until nothing waits, or for a moment. Without a pause in the messages nothing can be compared.
                let mut left = 10_000;
                while left > 0 && let Some(Some(message)) = streams.next().now_or_never() {
                    take(message);
                    left -= 1;
                }
                let ended = shared.unsubscribed.load(Ordering::Relaxed);
                if left > 0 && losses.check(counted, received.load(Ordering::Relaxed), ended) {
                    tracing::warn!("the NATS client has dropped messages");
                    shared.inbox.link(LinkEvent::Dropped(Channels::All));
                }
            }
        }
    }
}

/// Compares how many messages the client has counted with how many came out of it.
#[derive(Debug, Default)]
struct Losses {
    /// The difference that is explained.
    known: u64,
    /// The unexplained difference at the last check.
    missing: u64,
    ended: u64,
    /// Checks that are left out.
    pause: u32,
}

impl Losses {
    /// Returns whether messages were lost. Called when no message waits.
    ///
    /// A message is counted a moment before it can be taken, so only a difference counts that stays. The messages of a
    /// subscription that ends are counted and not taken, so then the difference is explained.
    fn check(&mut self, counted: u64, received: u64, ended: u64) -> bool {
        let difference = counted.saturating_sub(received);
        self.pause = if ended == self.ended { self.pause.saturating_sub(1) } else { PAUSE };
        if self.pause > 0 {
            (self.ended, self.known, self.missing) = (ended, difference, 0);
            return false;
        }
        let missing = difference.saturating_sub(self.known);
        let lost = missing.min(self.missing);
        self.known += lost;
        self.missing = missing - lost;
        lost > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_that_stays_is_a_loss_and_told_once() {
        let mut losses = Losses::default();
        assert!(!losses.check(10, 10, 0));
        assert!(!losses.check(20, 17, 0), "perhaps on their way");
        assert!(losses.check(30, 28, 0), "two of them stay away");
        assert!(!losses.check(30, 28, 0));
        assert!(!losses.check(40, 38, 0));
    }

    #[test]
    fn messages_of_an_ended_subscription_are_no_loss() {
        let mut losses = Losses::default();
        for _ in 0..PAUSE {
            assert!(!losses.check(10, 5, 1));
        }
        assert!(!losses.check(10, 5, 1));
        assert!(!losses.check(12, 6, 1));
        assert!(losses.check(12, 6, 1));
    }
}
