//! The contract of a router.

use std::time::Duration;

use switchboard_core::{Contract, Message, MessageSet, contract::ContractBuilder};

use super::WsRouter;
use crate::{Config, upgrade};

/// A message that the router sends beside replies.
#[derive(Clone, Copy)]
pub(super) struct Emitted {
    pub(super) message_type: &'static str,
    describe: fn(&mut ContractBuilder),
}

impl Emitted {
    pub(super) fn new<M: Message>() -> Self {
        Self { message_type: M::TYPE, describe: ContractBuilder::sends::<M> }
    }
}

impl<S, D, Out, A> WsRouter<S, D, Out, A>
where
    S: Clone + Send + Sync + 'static,
    D: Send + Sync + 'static,
    Out: MessageSet,
{
    /// Returns the contract of this router, mounted at `path`, as data for documentation and client
    /// generators.
    ///
    /// It has the messages that handlers take and reply with, and those sent beside replies: the set of
    /// [`sending`](WsRouter::sending), or the types named by [`emits`](Self::emits), and those of topics
    /// that clients may [subscribe](crate::TopicOptions::allow_subscribe) to.
    ///
    /// ```
    /// use switchboard::{WsError, WsRouter, ws_message, ws_rpc};
    ///
    /// #[ws_message("SUM")]
    /// struct Sum {
    ///     result: f64,
    /// }
    ///
    /// #[ws_rpc("ADD", response = Sum)]
    /// struct Add {
    ///     a: f64,
    ///     b: f64,
    /// }
    ///
    /// #[ws_message("NEWS")]
    /// struct News {
    ///     text: String,
    /// }
    ///
    /// async fn add(add: Add) -> Sum {
    ///     Sum { result: add.a + add.b }
    /// }
    ///
    /// let contract = WsRouter::<()>::new().on(add).emits::<News>().contract("/ws");
    /// assert_eq!(contract.inbound.rpcs[0].request.message_type, "ADD");
    /// assert_eq!(contract.inbound.rpcs[0].response.as_ref().unwrap().message_type, "SUM");
    /// assert_eq!(contract.outbound.messages[0].message_type, "NEWS");
    /// ```
    #[must_use]
    pub fn contract(&self, path: &str) -> Contract {
        let Self { table, hooks, settings, .. } = self;
        let mut builder = ContractBuilder::new();
        for route in table.routes() {
            (route.describe)(&mut builder, route.message_type);
            builder.fails_with(route.message_type, route.codes.iter().copied());
        }
        Out::describe(&mut builder);
        for emitted in &settings.emits {
            (emitted.describe)(&mut builder);
        }
        for (pattern, options) in settings.hub.iter().flat_map(|hub| hub.client_topics()) {
            for carried in &options.carried {
                (carried.describe)(&mut builder);
            }
            builder.topic(pattern, options.carried.iter().map(|carried| carried.message_type));
        }
        for (name, value) in limits(&settings.config) {
            builder.limit(name, value);
        }
        // Raw text has no envelope, hence no dialect.
        let ours = upgrade::PROTOCOLS.iter().filter(|_| hooks.text.is_none()).map(|protocol| (*protocol).to_owned());
        builder.build(path, settings.envelope.clone(), ours.chain(settings.protocols.clone()).collect())
    }
}

/// The limits that a client meets.
fn limits(config: &Config) -> impl Iterator<Item = (&'static str, u64)> {
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let always = [
        ("maxMessageBytes", count(config.max_message_bytes)),
        ("maxRequests", count(config.max_requests)),
        ("maxSubscriptions", count(config.max_subscriptions)),
        ("maxRequestTimeoutMs", millis(config.max_request_timeout)),
        ("requestTimeoutMs", millis(config.handler_timeout)),
    ];
    always.into_iter().chain(config.ping_interval.map(|interval| ("heartbeatMs", millis(interval))))
}
