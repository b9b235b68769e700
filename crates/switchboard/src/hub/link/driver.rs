//! The task that does what the state machine asks for.

use std::{
    future::ready,
    pin::pin,
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use switchboard_cluster::{OperationId, Output};
use switchboard_core::broker::{BrokerErrorKind, BrokerSink};
use tokio::time::{sleep, sleep_until, timeout};

#[cfg(feature = "metrics")]
use super::figures::Figures;
use super::{Link, clients::Arrival, deliver::Deliveries};
use crate::hub::{Gathered, Hub, HubInner};

/// How many outputs are done before other tasks run: each may be a message for a thousand subscribers.
const BATCH: usize = 64;

/// How many answers of the broker are taken at once.
const ANSWERS: usize = 256;

/// The first and the longest time between attempts to connect at the start. Later ones are the broker's own.
const RETRY: (Duration, Duration) = (Duration::from_millis(300), Duration::from_secs(10));

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

type Answer = (OperationId, Result<(), BrokerErrorKind>);

/// Runs until the hub is dropped.
pub(super) async fn run(link: Arc<Link>, hub: Weak<HubInner>) {
    let mut starting = pin!(start(Arc::clone(&link)));
    let mut driver = Driver {
        link,
        hub,
        is_started: false,
        calls: FuturesUnordered::new(),
        deliveries: Deliveries::default(),
        #[cfg(feature = "metrics")]
        figures: Figures::new(),
    };
    while !driver.link.state.lock().is_closed {
        tokio::select! {
            () = &mut starting, if !driver.is_started => driver.is_started = true,
            () = driver.turn() => {}
        }
    }
    driver.link.drain();
    let _ = timeout(GOODBYE, driver.say_goodbye()).await;
}

/// Connects, however long it takes.
async fn start(link: Arc<Link>) {
    let node = link.state.lock().cluster.node();
    let mut pause = RETRY.0;
    loop {
        match link.broker.start(node, Arc::clone(&link) as Arc<dyn BrokerSink>).await {
            Ok(()) => return,
            Err(error) => tracing::error!(error = error.to_string(), retry = ?pause, "cannot connect to the broker"),
        }
        sleep(pause).await;
        pause = (pause * 2).min(RETRY.1);
    }
}

struct Driver {
    link: Arc<Link>,
    hub: Weak<HubInner>,
    /// Before, no operation of the broker can succeed.
    is_started: bool,
    /// Calls of the broker that it has not answered. The state machine limits their number.
    calls: FuturesUnordered<BoxFuture<'static, Answer>>,
    deliveries: Deliveries,
    #[cfg(feature = "metrics")]
    figures: Figures,
}

impl Driver {
    /// Does a batch of outputs, then waits for something to happen if there were not more.
    ///
    /// Cancel safe: what was taken is done before anything is waited for.
    async fn turn(&mut self) {
        let mut outputs = Vec::with_capacity(BATCH);
        let wake_at = {
            let mut state = self.link.state.lock();
            outputs.extend(std::iter::from_fn(|| state.cluster.poll_output()).take(BATCH));
            state.cluster.poll_timeout()
        };
        let more = outputs.len() == BATCH;
        let hub = self.hub.upgrade().map(Hub::from_inner);
        for output in outputs {
            self.output(output, hub.as_ref());
        }
        self.deliveries.flush();
        drop(hub);
        #[cfg(feature = "metrics")]
        self.figures.record(|| (self.link.stats(), self.link.health()));
        if more {
            self.answers();
            tokio::task::yield_now().await;
            return;
        }
        tokio::select! {
            biased;
            Some(first) = self.calls.next(), if !self.calls.is_empty() => {
                self.answered(first);
                self.answers();
            }
            () = self.link.wake.notified() => {}
            () = sleep_until(self.link.began + wake_at) => self.link.tick(),
        }
    }

    /// Takes the answers of the broker that are there.
    fn answers(&mut self) {
        for _ in 0..ANSWERS {
            match self.calls.next().now_or_never() {
                Some(Some(answer)) => self.answered(answer),
                _ => return,
            }
        }
    }

    fn answered(&self, (operation, result): Answer) {
        self.link.input(|cluster, _, now| cluster.handle_completion(operation, result, now));
    }

    fn output(&mut self, output: Output, hub: Option<&Hub>) {
        match output {
            Output::Call { operation, .. } if !self.is_started => {
                self.calls.push(ready((operation, Err(BrokerErrorKind::Unavailable))).boxed());
            }
            Output::Call { operation, call } => {
                let answer = call.call(&*self.link.broker);
                let answer = answer.map(move |result| {
                    let result = result.map_err(|error| {
                        tracing::debug!(error = error.to_string(), "an operation of the broker failed");
                        error.kind()
                    });
                    (operation, result)
                });
                self.calls.push(answer.boxed());
            }
            Output::Reconnect => {
                tracing::warn!("nothing arrives from the broker, although the link seems to be up: connecting again");
                self.link.broker.reconnect();
            }
            Output::Joined { join, result } => {
                let waiter = self.link.state.lock().waiting.joins.remove(&join);
                if let Some((topic, waiter)) = waiter
                    && waiter.send(result) == Err(Ok(()))
                {
                    // The subscription was given up.
                    self.link.input(|cluster, _, now| cluster.leave(&topic, now));
                }
            }
            Output::Published { publish, result } => {
                let waiter = self.link.state.lock().waiting.publishes.remove(&publish);
                match (waiter, hub) {
                    (Some(waiter), _) => _ = waiter.send(result),
                    (None, Some(hub)) => hub.warn_limited("the broker did not accept an unconfirmed publish"),
                    (None, None) => {}
                }
            }
            Output::CommandEnded { command, outcome } => {
                let waiter = self.link.state.lock().waiting.commands.remove(&command);
                let _ = waiter.map(|waiter| waiter.send(outcome));
            }
            Output::Answers { question, answers, is_complete } => {
                let waiter = self.link.state.lock().waiting.questions.remove(&question);
                let _ = waiter.map(|waiter| waiter.send(Gathered::new(answers, is_complete)));
            }
            Output::ClientResponse { request, payload } => {
                let waiter = self.link.state.lock().waiting.requests.get(&request).cloned();
                let _ = waiter.map(|waiter| waiter.send(Arrival::Response(payload)));
            }
            Output::ClientRequestEnded { request, is_complete } => {
                let waiter = self.link.state.lock().waiting.requests.remove(&request);
                let _ = waiter.map(|waiter| waiter.send(Arrival::Ended { is_complete }));
            }
            Output::ClientRequestCancelled(reply) => {
                let task = self.link.state.lock().waiting.served.remove(&reply);
                drop(task);
            }
            Output::NodeUp(node) => tracing::info!(%node, "a node has joined"),
            Output::NodeDown(node) => tracing::warn!(%node, "a node is silent"),
            Output::NodeGone(node) => tracing::info!(%node, "a node has left"),
            output => {
                if let Some(hub) = hub {
                    self.for_hub(output, hub);
                }
            }
        }
    }

    /// Does what concerns this node's connections.
    fn for_hub(&mut self, output: Output, hub: &Hub) {
        match output {
            Output::Deliver(delivery) => self.deliveries.deliver(hub, delivery),
            Output::Gap { topic, reason } => self.deliveries.gap(hub, topic.as_str(), reason),
            Output::Command(command) => {
                let connections = u32::try_from(hub.apply(&command)).unwrap_or(u32::MAX);
                self.link.input(|cluster, _, now| cluster.acknowledge(command.reply, connections, now));
            }
            Output::ClientRequest(request) => self.link.serve_clients(hub, request),
            Output::UsersChanged(changes) => hub.users_changed(changes),
            Output::Question { question, payload } => {
                let Some(applied) = hub.answer(&payload) else { return };
                let link = Arc::clone(&self.link);
                let answer = async move {
                    let answer = applied.encode().await;
                    link.input(|cluster, _, now| cluster.answer(question, answer, now));
                };
                tokio::spawn(answer);
            }
            _ => {}
        }
    }

    /// Sends what the state machine has left to say, and ends the link.
    async fn say_goodbye(&mut self) {
        loop {
            let output = self.link.state.lock().cluster.poll_output();
            match output {
                Some(output) => self.output(output, None),
                None => break,
            }
        }
        // A broker that does not answer is left to the time limit.
        while self.calls.next().await.is_some() {}
        if let Err(error) = self.link.broker.shutdown().await {
            tracing::debug!(error = error.to_string(), "the link to the broker did not end in order");
        }
    }
}

impl Link {
    fn tick(&self) {
        self.input(|cluster, _, now| cluster.handle_tick(now));
    }

    /// Waits until the link is up and works.
    pub(super) async fn connected(&self) {
        // The link may be up and down again between two looks: only its state counts.
        while self.health() != switchboard_cluster::Health::Healthy {
            sleep(Duration::from_millis(10)).await;
        }
    }
}
