//! Hears the node's messages to itself: they confirm operations, and that the link is alive.

use std::{
    borrow::Cow,
    collections::VecDeque,
    str,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use async_nats::{Event, ServerError};
use futures_util::{FutureExt, StreamExt};
use switchboard_core::broker::{BrokerError, BrokerErrorKind, Channels, LinkEvent};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use super::{Batch, Link};
use crate::{
    operation::{Action, Operation},
    shared::Shared,
};

struct Confirmer {
    shared: Arc<Shared>,
    link: Link,
    batches: VecDeque<Batch>,
    /// Subscriptions that wait for one more echo. A refusal of the server comes through another channel of the client
    /// than messages, so it may be seen after the echo that follows it.
    almost: Vec<Operation>,
    /// When the last echo came, or another message was seen to have come.
    alive_at: Instant,
    counted: u64,
}

/// Runs until the link is lost, and returns why.
pub(super) async fn run(
    shared: Arc<Shared>,
    link: Link,
    mut sent: mpsc::Receiver<Batch>,
    received: Arc<AtomicU64>,
) -> Cow<'static, str> {
    let (ping_interval, response_timeout) = (shared.settings.ping_interval, shared.settings.response_timeout);
    let mut checks = interval(ping_interval.min(response_timeout) / 4);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut confirmer =
        Confirmer { shared, link, batches: VecDeque::new(), almost: Vec::new(), alive_at: Instant::now(), counted: 0 };
    loop {
        // In this order, so that an error is known before the echo that follows it, if it has come by then.
        tokio::select! {
            biased;
            event = confirmer.link.events.recv() => match event {
                Some(event) => {
                    if let Some(reason) = confirmer.take_event(event) {
                        return reason;
                    }
                }
                None => return "the client has ended".into(),
            },
            batch = sent.recv() => match batch {
                Some(batch) => confirmer.batches.push_back(batch),
                None => return "the link ends".into(),
            },
            echo = confirmer.link.echoes.next() => match echo {
                Some(echo) => {
                    received.fetch_add(1, Ordering::Relaxed);
                    // A batch is passed on before its echo is sent, so it is there, also if it came after the look above.
                    while let Ok(batch) = sent.try_recv() {
                        confirmer.batches.push_back(batch);
                    }
                    let number = str::from_utf8(&echo.payload).ok().and_then(|text| text.parse().ok());
                    confirmer.take_echo(number.unwrap_or(0));
                }
                None => return "the client has ended".into(),
            },
            _ = checks.tick() => {
                let now = Instant::now();
                let counted = confirmer.link.client.statistics().in_messages.load(Ordering::Relaxed);
                // Echoes wait behind other messages. While those come, the link is alive.
                if counted != confirmer.counted {
                    (confirmer.counted, confirmer.alive_at) = (counted, now);
                }
                let due = confirmer.batches.front().map(|batch| batch.sent_at.max(confirmer.alive_at));
                let silence = now.saturating_duration_since(confirmer.alive_at);
                if due.is_some_and(|due| now.saturating_duration_since(due) >= response_timeout)
                    || silence >= ping_interval + response_timeout
                {
                    return format!("no answer within {response_timeout:?}").into();
                }
                // An echo may be dropped by the client, as any message.
                if silence >= ping_interval || !confirmer.almost.is_empty() || !confirmer.batches.is_empty() {
                    confirmer.ping();
                }
            }
        }
    }
}

impl Confirmer {
    /// Sends one more echo for the last batch that is known: what it confirms was given to the client before. If the client
    /// has no room, there is enough on its way.
    fn ping(&self) {
        let number = self.batches.back().map_or(0, |batch| batch.number);
        let ping = self.link.client.publish(self.link.echo.clone(), number.to_string().into());
        let _ = ping.now_or_never();
    }

    fn take_echo(&mut self, number: u64) {
        self.alive_at = Instant::now();
        self.almost.drain(..).for_each(|operation| operation.end(Ok(())));
        while self.batches.front().is_some_and(|batch| batch.number <= number)
            && let Some(batch) = self.batches.pop_front()
        {
            if !batch.restored.is_empty() {
                tracing::info!(restored = batch.restored.len(), "subscriptions restored");
                self.shared.inbox.link(LinkEvent::Restored(batch.restored.into()));
            }
            for operation in batch.operations {
                if matches!(operation.action, Action::Subscribe { .. }) {
                    self.almost.push(operation);
                } else {
                    operation.end(Ok(()));
                }
            }
        }
        if !self.almost.is_empty() {
            self.ping();
        }
    }

    /// Returns why the link is lost, if it is.
    fn take_event(&mut self, event: Event) -> Option<Cow<'static, str>> {
        match event {
            Event::Connected | Event::Draining => None,
            Event::SlowConsumer(_) => {
                tracing::warn!("the NATS client has dropped messages");
                self.shared.inbox.link(LinkEvent::Dropped(Channels::All));
                None
            }
            Event::ServerError(ServerError::Other(text)) if text.contains("Permissions Violation") => {
                self.refused(&text);
                None
            }
            Event::LameDuckMode => Some("the server shuts down (lame duck mode)".into()),
            other => Some(other.to_string().into()),
        }
    }

    /// Ends the operations that the server has refused, by the subject in quotes at the end of its text.
    fn refused(&mut self, text: &str) {
        let is_subscription = text.contains("for Subscription");
        let is_refused = |operation: &Operation| {
            matches!(operation.action, Action::Subscribe { .. }) == is_subscription
                && text.contains(&format!("\"{}\"", operation.action.subject()))
        };
        let mut refused: Vec<Operation> = self.almost.extract_if(.., |operation| is_refused(operation)).collect();
        for batch in &mut self.batches {
            refused.extend(batch.operations.extract_if(.., |operation| is_refused(operation)));
        }
        if refused.is_empty() {
            tracing::error!("NATS refuses an operation: {text}");
        }
        for operation in refused {
            operation.end(Err(BrokerError::new(BrokerErrorKind::Rejected, text.to_owned())));
        }
    }
}
