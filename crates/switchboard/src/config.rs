//! All limits and times in one place.

use std::time::Duration;

/// The limits and times of one route and its connections. Those of a whole hub, as how many
/// connections it takes, are in [`Hub::builder`](crate::Hub::builder); those of topics in
/// [`TopicOptions`](crate::TopicOptions) and [`BatchOptions`](crate::BatchOptions). Every queue,
/// buffer and wait has its bound in one of them.
///
/// | setting | default | beyond it |
/// |---|---|---|
/// | [`max_message_bytes`](Self::max_message_bytes) | 64 KiB | close 1009 |
/// | [`max_fragments`](Self::max_fragments) | 1024 of one message | close 1009 |
/// | [`message_timeout`](Self::message_timeout) | 10 s from a message's first to its last byte | close 1008 |
/// | [`max_control_frames`](Self::max_control_frames) | 500 pings and pongs in 10 s | close 4006 |
/// | [`max_unhandled_messages`](Self::max_unhandled_messages) | 2000 in 10 s | `RESOURCE_EXHAUSTED`, close 4006 |
/// | [`max_messages`](Self::max_messages) | none | `RESOURCE_EXHAUSTED`, close 4006 |
/// | [`max_outbound_bytes`](Self::max_outbound_bytes) | 1 MiB | close 4002, or as the topic says ([`SlowConsumer`](crate::SlowConsumer)) |
/// | [`max_inbox`](Self::max_inbox) | 32 messages, 64 KiB | the socket is not read |
/// | [`max_inbox_during_call`](Self::max_inbox_during_call) | 256 messages, 512 KiB | `conn.call` fails |
/// | [`max_requests`](Self::max_requests) | 64 in flight | `RESOURCE_EXHAUSTED` |
/// | [`max_calls`](Self::max_calls) | 64 to one client | `conn.call` fails |
/// | [`max_queued_progress`](Self::max_queued_progress) | 16 of one request | `progress.send` waits |
/// | [`max_detached`](Self::max_detached) | 1024 of the route | dropped as others are |
/// | [`max_detached_per_connection`](Self::max_detached_per_connection) | 16 | `RESOURCE_EXHAUSTED` |
/// | [`idempotency`](Self::idempotency) | 16 384 keys, 16 MiB, 10 min | the user that has the most loses its oldest |
/// | [`idempotency_per_user`](Self::idempotency_per_user) | 1024 keys, 1 MiB; 256 running | its oldest are forgotten; `RESOURCE_EXHAUSTED` |
/// | [`soft_max_message_bytes`](Self::soft_max_message_bytes) | none | `RESOURCE_EXHAUSTED` |
/// | [`max_bad_messages`](Self::max_bad_messages) | 20 in a row | close 1008 |
/// | [`max_subscriptions`](Self::max_subscriptions) | 128 per connection | `RESOURCE_EXHAUSTED` |
/// | [`max_attributes`](Self::max_attributes) | 16 per connection | [`insert`](crate::Attributes::insert) fails |
/// | [`handler_timeout`](Self::handler_timeout) | 30 s | `DEADLINE_EXCEEDED` |
/// | [`max_request_timeout`](Self::max_request_timeout) | 5 min | longer `meta.timeoutMs` are cut |
/// | [`call_timeout`](Self::call_timeout) | 10 s | `conn.call` fails |
/// | [`ping_interval`](Self::ping_interval) | 25 s | |
/// | [`pong_timeout`](Self::pong_timeout) | 10 s | close 1008 |
/// | [`identify_timeout`](Self::identify_timeout) | none | close 1008 |
/// | [`reauthorize_interval`](Self::reauthorize_interval) | none | |
/// | [`upgrade_timeout`](Self::upgrade_timeout) | 10 s | HTTP 503 |
/// | [`hook_timeout`](Self::hook_timeout) | 10 s each | `on_open`: close 1011; others: dropped |
/// | [`write_timeout`](Self::write_timeout) | 3 s | the socket is dropped |
/// | [`close_timeout`](Self::close_timeout) | 2 s | the socket is dropped |
///
/// These are fixed:
///
/// | what | limit | beyond it |
/// |---|---|---|
/// | `Sec-WebSocket-Protocol` | 8 KiB, 64 entries | HTTP 400 |
/// | issues of one invalid payload | 32 | the rest is not told |
/// | a message type, a topic, a correlation id | 128 bytes | `INVALID_ARGUMENT` |
/// | the reason of a close frame | 123 bytes | cut |
/// | depth of a document | 128 | `INVALID_ARGUMENT` |
/// | failures that wait for `on_error` | 32 of one connection | they are only logged |
/// | publishes on their way to a topic of more than 16 384 places | 1024 | `publish` fails, to be tried again |
/// | what is read of a peer whose close frame is awaited | 256 KiB | the socket is dropped |
/// | lines of the log that clients can cause | 20 in a second, of the hub | counted in the next line |
/// | [`drain`](crate::Hub::drain) after the last connection was asked to close | 5 s, or [`grace`](crate::Drain::grace) | handlers are dropped |
///
/// ```
/// use switchboard::Config;
///
/// let config = Config::new().max_message_bytes(16 * 1024).max_subscriptions(1000);
/// # let _ = config;
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Config {
    pub(crate) max_message_bytes: usize,
    pub(crate) max_fragments: u32,
    pub(crate) message_timeout: Duration,
    pub(crate) max_control_frames: u32,
    pub(crate) max_unhandled_messages: u32,
    pub(crate) max_messages: Option<u32>,
    pub(crate) max_outbound_bytes: usize,
    pub(crate) max_inbox_messages: usize,
    pub(crate) max_inbox_bytes: usize,
    pub(crate) max_inbox_during_call: (usize, usize),
    pub(crate) max_requests: usize,
    pub(crate) max_calls: usize,
    pub(crate) max_queued_progress: usize,
    pub(crate) max_detached: usize,
    pub(crate) max_detached_per_connection: usize,
    pub(crate) idempotency: (usize, usize, Duration),
    pub(crate) idempotency_per_user: (usize, usize, usize),
    pub(crate) soft_max_message_bytes: Option<usize>,
    pub(crate) max_bad_messages: u32,
    pub(crate) max_subscriptions: usize,
    pub(crate) max_attributes: usize,
    pub(crate) handler_timeout: Duration,
    pub(crate) max_request_timeout: Duration,
    pub(crate) call_timeout: Duration,
    pub(crate) ping_interval: Option<Duration>,
    pub(crate) pong_timeout: Duration,
    pub(crate) identify_timeout: Option<Duration>,
    pub(crate) reauthorize_interval: Option<Duration>,
    pub(crate) upgrade_timeout: Duration,
    pub(crate) hook_timeout: Duration,
    pub(crate) write_timeout: Duration,
    pub(crate) close_timeout: Duration,
    pub(crate) validate_outbound: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_message_bytes: 64 * 1024,
            max_fragments: 1024,
            message_timeout: Duration::from_secs(10),
            max_control_frames: 500,
            max_unhandled_messages: 2000,
            max_messages: None,
            max_outbound_bytes: 1024 * 1024,
            max_inbox_messages: 32,
            max_inbox_bytes: 64 * 1024,
            max_inbox_during_call: (256, 512 * 1024),
            max_requests: 64,
            max_calls: 64,
            max_queued_progress: 16,
            max_detached: 1024,
            max_detached_per_connection: 16,
            idempotency: (16 * 1024, 16 * 1024 * 1024, Duration::from_secs(600)),
            idempotency_per_user: (1024, 1024 * 1024, 256),
            soft_max_message_bytes: None,
            max_bad_messages: 20,
            max_subscriptions: 128,
            max_attributes: 16,
            handler_timeout: Duration::from_secs(30),
            max_request_timeout: Duration::from_secs(300),
            call_timeout: Duration::from_secs(10),
            ping_interval: Some(Duration::from_secs(25)),
            pong_timeout: Duration::from_secs(10),
            identify_timeout: None,
            reauthorize_interval: None,
            upgrade_timeout: Duration::from_secs(10),
            hook_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(3),
            close_timeout: Duration::from_secs(2),
            validate_outbound: true,
        }
    }
}

impl Config {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The name of a setting with which nothing can work.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let settings = [
            ("max_message_bytes", self.max_message_bytes >= 16),
            ("max_outbound_bytes", self.max_outbound_bytes >= 256),
            ("max_fragments", self.max_fragments > 0),
            ("message_timeout", !self.message_timeout.is_zero()),
            ("handler_timeout", !self.handler_timeout.is_zero()),
            ("max_request_timeout", !self.max_request_timeout.is_zero()),
            ("upgrade_timeout", !self.upgrade_timeout.is_zero()),
            ("hook_timeout", !self.hook_timeout.is_zero()),
            ("max_requests", self.max_requests > 0),
            ("max_detached_per_connection", self.max_detached_per_connection > 0),
            ("idempotency_per_user", self.idempotency_per_user.2 > 0),
            ("max_queued_progress", self.max_queued_progress > 0),
            ("max_messages", self.max_messages != Some(0)),
            ("ping_interval", self.ping_interval.is_none_or(|interval| !interval.is_zero())),
            ("pong_timeout", !self.pong_timeout.is_zero()),
            ("reauthorize_interval", self.reauthorize_interval.is_none_or(|interval| !interval.is_zero())),
        ];
        settings.iter().find(|(_, works)| !works).map_or(Ok(()), |(name, _)| Err(*name))
    }

    /// The largest message taken in, in bytes, all fragments together.
    pub fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.max_message_bytes = bytes;
        self
    }

    /// How many frames one message may come in, empty ones included. axum's transport does not
    /// count them.
    pub fn max_fragments(mut self, count: u32) -> Self {
        self.max_fragments = count;
        self
    }

    /// How long a message may take from its first byte to its last, while it is read. axum's
    /// transport does not limit that.
    pub fn message_timeout(mut self, timeout: Duration) -> Self {
        self.message_timeout = timeout;
        self
    }

    /// How many pings and pongs a client may send in ten seconds.
    pub fn max_control_frames(mut self, count: u32) -> Self {
        self.max_control_frames = count;
        self
    }

    /// How many messages a client may send in ten seconds that reach no handler, and so no layer that
    /// could limit them: heartbeats, aborts, refreshes, answers that come too late, and whatever is
    /// refused for its form. Beyond it the client gets `RESOURCE_EXHAUSTED` and is closed with 4006.
    /// Requests beyond [`max_requests`](Self::max_requests) do not count.
    pub fn max_unhandled_messages(mut self, count: u32) -> Self {
        self.max_unhandled_messages = count;
        self
    }

    /// How many messages of any kind a client may send in ten seconds. Beyond it the client gets
    /// `RESOURCE_EXHAUSTED` and is closed with 4006.
    ///
    /// Without a limit by default: one client may well send some 100 000 messages a second, and is
    /// slowed down by not being read where its handlers do not keep up. For limits by type or user,
    /// and ones that let the client go on, see [`RateLimit`](crate::middleware::RateLimit).
    pub fn max_messages(mut self, count: impl Into<Option<u32>>) -> Self {
        self.max_messages = count.into();
        self
    }

    /// How many bytes may wait to be written to one connection, each message's overhead included:
    /// more than the largest message that is sent, in any case. To all together:
    /// [`HubBuilder::max_queued_bytes`](crate::HubBuilder::max_queued_bytes).
    ///
    /// While more than half of it waits because of the client's own requests, no other of its
    /// messages is begun; they fill the inbox, and then the client is not read. So a client that
    /// asks for more than it reads is slowed down, and is closed only if it takes nothing at all for
    /// [`pong_timeout`](Self::pong_timeout). Replies to requests that were begun before may take up
    /// to twice the limit.
    pub fn max_outbound_bytes(mut self, bytes: usize) -> Self {
        self.max_outbound_bytes = bytes;
        self
    }

    /// How many messages, and bytes of them, may wait behind a running handler. At least one
    /// message always may. While this is full nothing is read: not aborts and pings either. That
    /// the client has gone is still noticed, on Linux and on the native transport; elsewhere only
    /// after.
    pub fn max_inbox(mut self, messages: usize, bytes: usize) -> Self {
        self.max_inbox_messages = messages;
        self.max_inbox_bytes = bytes;
        self
    }

    /// How much may wait behind a handler that awaits an answer of the client: it is read on so that
    /// the answer can come. Beyond this such calls fail, and it is read no more.
    pub fn max_inbox_during_call(mut self, messages: usize, bytes: usize) -> Self {
        self.max_inbox_during_call = (messages, bytes);
        self
    }

    /// How many requests of one connection may be handled or wait to be.
    pub fn max_requests(mut self, count: usize) -> Self {
        self.max_requests = count;
        self
    }

    /// How many calls of one client may wait for its answers.
    pub fn max_calls(mut self, count: usize) -> Self {
        self.max_calls = count;
        self
    }

    /// How many steps of one request's progress may wait to be written.
    pub fn max_queued_progress(mut self, count: usize) -> Self {
        self.max_queued_progress = count;
        self
    }

    /// How many handlers of the route may go on without anybody waiting for them, after a route's
    /// [`run_to_completion`](crate::RouteOptions::run_to_completion).
    pub fn max_detached(mut self, count: usize) -> Self {
        self.max_detached = count;
        self
    }

    /// Limits the handlers that go on after one connection gave them up: aborted, or past their
    /// deadline. While that many do, further messages to routes that
    /// [run to completion](crate::RouteOptions::run_to_completion) are answered with
    /// `RESOURCE_EXHAUSTED` and `{limit, current}`, before their handler begins. So one client cannot
    /// take all of [`max_detached`](Self::max_detached). Handlers that have begun go on even so.
    pub fn max_detached_per_connection(mut self, count: usize) -> Self {
        self.max_detached_per_connection = count;
        self
    }

    /// How many results of messages with a `meta.idempotencyKey` the route remembers, how many bytes
    /// they may take, and for how long. What is remembered counts about 500 bytes beside the result.
    ///
    /// Beyond the keys or bytes the user, or connection without one, that has the largest part of the
    /// store loses its oldest result: one that has less loses nothing to it.
    pub fn idempotency(mut self, keys: usize, bytes: usize, age: Duration) -> Self {
        self.idempotency = (keys, bytes, age);
        self
    }

    /// How much of [`idempotency`](Self::idempotency) is for one user, or one connection where there is
    /// no user: how many results and bytes of them are remembered, beyond which its own oldest are
    /// forgotten; and how many messages with a key may run at the same time, beyond which further ones
    /// get `RESOURCE_EXHAUSTED`. What a connection without a user had is forgotten when it ends.
    pub fn idempotency_per_user(mut self, keys: usize, bytes: usize, running: usize) -> Self {
        self.idempotency_per_user = (keys, bytes, running);
        self
    }

    /// From how many bytes on a message gets an error although the connection could take it.
    pub fn soft_max_message_bytes(mut self, bytes: usize) -> Self {
        self.soft_max_message_bytes = Some(bytes);
        self
    }

    /// How many malformed messages or unknown types in a row end a connection; 0 for no limit.
    pub fn max_bad_messages(mut self, count: u32) -> Self {
        self.max_bad_messages = count;
        self
    }

    /// How many topics one connection may be subscribed to.
    pub fn max_subscriptions(mut self, count: usize) -> Self {
        self.max_subscriptions = count;
        self
    }

    /// How many [attributes](crate::Attributes) one connection may have.
    pub fn max_attributes(mut self, count: usize) -> Self {
        self.max_attributes = count;
        self
    }

    /// How long a handler may take unless the request says otherwise in `meta.timeoutMs`.
    pub fn handler_timeout(mut self, timeout: Duration) -> Self {
        self.handler_timeout = timeout;
        self
    }

    /// The longest `meta.timeoutMs` that is honoured.
    pub fn max_request_timeout(mut self, timeout: Duration) -> Self {
        self.max_request_timeout = timeout;
        self
    }

    /// How long an answer of the client to [`Conn::call`](crate::Conn::call) is waited for.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = timeout;
        self
    }

    /// How often clients are pinged; `None` for never, and then who has vanished may not be noticed.
    pub fn ping_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.ping_interval = interval.into();
        self
    }

    /// How long a ping may stay unanswered. Does not run while nothing is read from the client, and
    /// begins anew as long as more arrives of a message that is half-way (not on axum's transport), or
    /// a client that is behind with reading goes on doing so. Also how long a client may take nothing
    /// of what waits for it while it is not read: then it is closed with 4002.
    pub fn pong_timeout(mut self, timeout: Duration) -> Self {
        self.pong_timeout = timeout;
        self
    }

    /// How long it may stay unknown whose a connection is: until
    /// [`Conn::identify`](crate::Conn::identify) is called. For authentication by a message.
    pub fn identify_timeout(mut self, timeout: Duration) -> Self {
        self.identify_timeout = Some(timeout);
        self
    }

    /// How often the hooks of [`on_reauthorize`](crate::WsRouter::on_reauthorize) are asked.
    pub fn reauthorize_interval(mut self, interval: Duration) -> Self {
        self.reauthorize_interval = Some(interval);
        self
    }

    /// How long authentication and the other extractors of an upgrade may take together.
    pub fn upgrade_timeout(mut self, timeout: Duration) -> Self {
        self.upgrade_timeout = timeout;
        self
    }

    /// How long all `on_open` hooks together may take, and each hook of `on_close`, `on_stale` and
    /// `on_error`; and all of `on_error` together once the connection is closed.
    pub fn hook_timeout(mut self, timeout: Duration) -> Self {
        self.hook_timeout = timeout;
        self
    }

    /// How long a peer that reads nothing is waited for once its connection is to be closed.
    pub fn write_timeout(mut self, timeout: Duration) -> Self {
        self.write_timeout = timeout;
        self
    }

    /// How long the peer's half of the closing handshake is waited for.
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// Whether messages are validated before they are sent. On by default.
    pub fn validate_outbound(mut self, on: bool) -> Self {
        self.validate_outbound = on;
        self
    }
}
