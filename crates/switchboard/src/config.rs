//! All limits and timeouts of a route in one place.

use std::time::Duration;

/// The limits and timeouts of one route and its connections.
///
/// Every queue, buffer and wait is bounded. Limits of a whole hub, such as the number of
/// connections, are set with [`Hub::builder`](crate::Hub::builder); those of topics with
/// [`TopicOptions`](crate::TopicOptions) and [`BatchOptions`](crate::BatchOptions).
///
/// | setting | default | when exceeded |
/// |---|---|---|
/// | [`max_message_bytes`](Self::max_message_bytes) | 64 KiB | close 1009 |
/// | [`max_fragments`](Self::max_fragments) | 1024 per message | close 1009 |
/// | [`message_timeout`](Self::message_timeout) | 10 s from a message's first byte to its last | close 1008 |
/// | [`max_control_frames`](Self::max_control_frames) | 500 pings and pongs in 10 s | close 4006 |
/// | [`max_unhandled_messages`](Self::max_unhandled_messages) | 2000 in 10 s | `RESOURCE_EXHAUSTED`, close 4006 |
/// | [`max_messages`](Self::max_messages) | none | `RESOURCE_EXHAUSTED`, close 4006 |
/// | [`max_outbound_bytes`](Self::max_outbound_bytes) | 1 MiB | close 4002, or the topic's policy ([`SlowConsumer`](crate::SlowConsumer)) |
/// | [`max_inbox`](Self::max_inbox) | 32 messages, 64 KiB | the socket is not read |
/// | [`max_inbox_during_call`](Self::max_inbox_during_call) | 256 messages, 512 KiB | `conn.call` fails |
/// | [`max_requests`](Self::max_requests) | 64 in flight | `RESOURCE_EXHAUSTED` |
/// | [`max_calls`](Self::max_calls) | 64 to one client | `conn.call` fails |
/// | [`max_queued_progress`](Self::max_queued_progress) | 16 per request | `progress.send` waits |
/// | [`max_detached`](Self::max_detached) | 1024 per route | the handler is dropped |
/// | [`max_detached_per_connection`](Self::max_detached_per_connection) | 16 | `RESOURCE_EXHAUSTED` |
/// | [`idempotency`](Self::idempotency) | 16 384 keys, 16 MiB, 10 min | the largest user's oldest result is evicted |
/// | [`idempotency_per_user`](Self::idempotency_per_user) | 1024 keys, 1 MiB; 256 running | the user's oldest results are evicted; `RESOURCE_EXHAUSTED` |
/// | [`soft_max_message_bytes`](Self::soft_max_message_bytes) | none | `RESOURCE_EXHAUSTED` |
/// | [`max_bad_messages`](Self::max_bad_messages) | 20 in a row | close 1008 |
/// | [`max_subscriptions`](Self::max_subscriptions) | 128 per connection | `RESOURCE_EXHAUSTED` |
/// | [`max_attributes`](Self::max_attributes) | 16 per connection | [`insert`](crate::Attributes::insert) fails |
/// | [`handler_timeout`](Self::handler_timeout) | 30 s | `DEADLINE_EXCEEDED` |
/// | [`max_request_timeout`](Self::max_request_timeout) | 5 min | a longer `meta.timeoutMs` is reduced to it |
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
/// These limits are fixed:
///
/// | what | limit | when exceeded |
/// |---|---|---|
/// | `Sec-WebSocket-Protocol` | 8 KiB, 64 entries | HTTP 400 |
/// | issues reported for one invalid payload | 32 | the rest are omitted |
/// | a message type, a topic, a correlation id | 128 bytes | `INVALID_ARGUMENT` |
/// | the reason of a close frame | 123 bytes | truncated |
/// | nesting depth of a payload | 128 | `INVALID_ARGUMENT` |
/// | failures queued for `on_error` | 32 per connection | logged only |
/// | publishes queued for a topic with more than 16 384 subscribers, now or recently | 1024 | `publish` fails and can be retried |
/// | bytes discarded while waiting for the peer's close frame | 256 KiB | the socket is dropped |
/// | log lines that clients can cause | 20 per second and hub | counted in the next line |
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
    /// Creates a configuration with the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the name of the first setting with a value that no connection could work with.
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

    /// Sets the largest message a client may send, in bytes, all fragments together.
    ///
    /// A larger message closes the connection with 1009.
    pub fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.max_message_bytes = bytes;
        self
    }

    /// Sets the maximum number of frames per message, empty ones included.
    ///
    /// axum's transport does not enforce it.
    pub fn max_fragments(mut self, count: u32) -> Self {
        self.max_fragments = count;
        self
    }

    /// Sets the time within which a message must arrive, from its first byte to its last.
    ///
    /// The timer does not run while the server does not read from the client. axum's transport
    /// does not enforce it.
    pub fn message_timeout(mut self, timeout: Duration) -> Self {
        self.message_timeout = timeout;
        self
    }

    /// Sets the maximum number of pings and pongs a client may send in ten seconds.
    pub fn max_control_frames(mut self, count: u32) -> Self {
        self.max_control_frames = count;
        self
    }

    /// Sets the maximum number of messages a client may send in ten seconds that reach no handler.
    ///
    /// Layers cannot limit these: heartbeats, aborts, refreshes, subscriptions by clients
    /// ([`allow_subscribe`](crate::TopicOptions::allow_subscribe)), late answers and malformed
    /// messages. A client that exceeds the limit gets `RESOURCE_EXHAUSTED` and is closed with 4006.
    /// Requests refused because of [`max_requests`](Self::max_requests) do not count.
    pub fn max_unhandled_messages(mut self, count: u32) -> Self {
        self.max_unhandled_messages = count;
        self
    }

    /// Sets the maximum number of messages of any kind a client may send in ten seconds.
    ///
    /// A client that exceeds it gets `RESOURCE_EXHAUSTED` and is closed with 4006.
    ///
    /// There is no limit by default: one client may send some 100 000 messages a second, and
    /// backpressure slows it down when its handlers do not keep up. For limits per type or user,
    /// and for limits that keep the connection open, see
    /// [`RateLimitLayer`](crate::RateLimitLayer).
    pub fn max_messages(mut self, count: impl Into<Option<u32>>) -> Self {
        self.max_messages = count.into();
        self
    }

    /// Sets the maximum number of bytes queued for one connection, including per-message overhead.
    ///
    /// It must be larger than the largest message sent.
    /// [`HubBuilder::max_queued_bytes`](crate::HubBuilder::max_queued_bytes) limits all
    /// connections together.
    ///
    /// While replies and other output that the client asked for fill more than half of it, no
    /// further message of the client is started. Its messages fill the inbox, and then the socket
    /// is not read. This slows down a client that requests more than it reads; the client is
    /// closed only if it reads nothing at all for [`pong_timeout`](Self::pong_timeout). Replies to
    /// requests already in flight may take up to twice the limit.
    pub fn max_outbound_bytes(mut self, bytes: usize) -> Self {
        self.max_outbound_bytes = bytes;
        self
    }

    /// Sets how many messages, and how many bytes of them, may wait behind a running handler.
    ///
    /// One message may always wait. While the inbox is full the socket is not read: aborts and
    /// pings wait too. A client that disconnects meanwhile is noticed at once on Linux, on a TCP or
    /// Unix socket with the native transport; otherwise only when the socket is read again.
    pub fn max_inbox(mut self, messages: usize, bytes: usize) -> Self {
        self.max_inbox_messages = messages;
        self.max_inbox_bytes = bytes;
        self
    }

    /// Sets how many messages, and how many bytes of them, may wait while a handler awaits an
    /// answer of the client ([`Conn::call`](crate::Conn::call)).
    ///
    /// The socket is read beyond [`max_inbox`](Self::max_inbox) so that the answer can arrive.
    /// When this limit is reached, pending calls fail and the socket is not read.
    pub fn max_inbox_during_call(mut self, messages: usize, bytes: usize) -> Self {
        self.max_inbox_during_call = (messages, bytes);
        self
    }

    /// Sets the maximum number of requests in flight per connection, running or waiting.
    pub fn max_requests(mut self, count: usize) -> Self {
        self.max_requests = count;
        self
    }

    /// Sets the maximum number of [calls](crate::Conn::call) to one client that await an answer.
    pub fn max_calls(mut self, count: usize) -> Self {
        self.max_calls = count;
        self
    }

    /// Sets the maximum number of progress messages of one request queued for writing.
    pub fn max_queued_progress(mut self, count: usize) -> Self {
        self.max_queued_progress = count;
        self
    }

    /// Sets the maximum number of detached handlers of the route: handlers that
    /// [run to completion](crate::RouteOptions::run_to_completion) after their request was
    /// aborted, timed out or lost its connection.
    ///
    /// Beyond the limit such a handler is dropped like any other.
    pub fn max_detached(mut self, count: usize) -> Self {
        self.max_detached = count;
        self
    }

    /// Sets the maximum number of detached handlers per connection, so that one client cannot use
    /// up [`max_detached`](Self::max_detached).
    ///
    /// When it is reached, further messages of the connection to routes that
    /// [run to completion](crate::RouteOptions::run_to_completion) are answered with
    /// `RESOURCE_EXHAUSTED` and `{limit, current}` before their handler starts. Handlers already
    /// running continue.
    pub fn max_detached_per_connection(mut self, count: usize) -> Self {
        self.max_detached_per_connection = count;
        self
    }

    /// Sets how many results of messages with a `meta.idempotencyKey` the route keeps, how many
    /// bytes they may take, and for how long.
    ///
    /// Each entry counts about 500 bytes in addition to its result. When the store is full, the
    /// oldest result of the user with the largest share is evicted, so that heavy users do not
    /// displace others. A connection without a user counts as a user of its own.
    pub fn idempotency(mut self, keys: usize, bytes: usize, age: Duration) -> Self {
        self.idempotency = (keys, bytes, age);
        self
    }

    /// Sets the share of [`idempotency`](Self::idempotency) that one user, or one connection
    /// without a user, may take.
    ///
    /// `keys` and `bytes` limit the results kept; beyond them the user's own oldest results are
    /// evicted. `running` limits the messages with a key that run at the same time; further ones
    /// get `RESOURCE_EXHAUSTED`. The results of a connection without a user are discarded when it
    /// ends.
    pub fn idempotency_per_user(mut self, keys: usize, bytes: usize, running: usize) -> Self {
        self.idempotency_per_user = (keys, bytes, running);
        self
    }

    /// Sets the size in bytes above which a message is refused with `RESOURCE_EXHAUSTED`, without
    /// closing the connection. There is none by default.
    pub fn soft_max_message_bytes(mut self, bytes: usize) -> Self {
        self.soft_max_message_bytes = Some(bytes);
        self
    }

    /// Sets how many malformed messages or unknown types in a row close the connection; 0 disables
    /// the limit.
    pub fn max_bad_messages(mut self, count: u32) -> Self {
        self.max_bad_messages = count;
        self
    }

    /// Sets the maximum number of topics one connection may be subscribed to.
    pub fn max_subscriptions(mut self, count: usize) -> Self {
        self.max_subscriptions = count;
        self
    }

    /// Sets the maximum number of [attributes](crate::Attributes) per connection.
    pub fn max_attributes(mut self, count: usize) -> Self {
        self.max_attributes = count;
        self
    }

    /// Sets the deadline of a handler, unless the request sets its own with `meta.timeoutMs`.
    ///
    /// It also limits the hooks [`on_text`](crate::WsRouter::on_text),
    /// [`on_binary`](crate::WsRouter::on_binary), [`on_refresh`](crate::WsRouter::on_refresh) and
    /// [`fallback`](crate::WsRouter::fallback).
    pub fn handler_timeout(mut self, timeout: Duration) -> Self {
        self.handler_timeout = timeout;
        self
    }

    /// Sets the longest deadline a request may set with `meta.timeoutMs`.
    pub fn max_request_timeout(mut self, timeout: Duration) -> Self {
        self.max_request_timeout = timeout;
        self
    }

    /// Sets how long [`Conn::call`](crate::Conn::call) waits for the client's answer.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = timeout;
        self
    }

    /// Sets the interval between pings; `None` disables them, and a client that vanished may then
    /// go unnoticed.
    ///
    /// A proxy ends connections on which it sees no bytes for some time, often 60 s: stay below that.
    /// The next ping is not sent before [`pong_timeout`](Self::pong_timeout) has passed, so with an
    /// interval below that, shorten both.
    pub fn ping_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.ping_interval = interval.into();
        self
    }

    /// Sets how long a ping may remain unanswered before the connection is closed with 1008.
    ///
    /// The timer does not run while the socket is not read. It restarts as long as more of a
    /// partial message arrives (not on axum's transport), and as long as a slow consumer keeps
    /// reading.
    ///
    /// A client that is not read because its inbox is full, and that reads nothing itself for this
    /// long, is closed with 4002.
    pub fn pong_timeout(mut self, timeout: Duration) -> Self {
        self.pong_timeout = timeout;
        self
    }

    /// Sets the time within which [`Conn::identify`](crate::Conn::identify) must be called, for
    /// authentication by a message. There is none by default.
    pub fn identify_timeout(mut self, timeout: Duration) -> Self {
        self.identify_timeout = Some(timeout);
        self
    }

    /// Sets how often the [`on_reauthorize`](crate::WsRouter::on_reauthorize) hooks run. They do
    /// not by default.
    pub fn reauthorize_interval(mut self, interval: Duration) -> Self {
        self.reauthorize_interval = Some(interval);
        self
    }

    /// Sets the time that authentication and the other extractors of an upgrade may take together.
    pub fn upgrade_timeout(mut self, timeout: Duration) -> Self {
        self.upgrade_timeout = timeout;
        self
    }

    /// Sets the time that all `on_open` hooks may take together, all `on_reauthorize` hooks
    /// together, and each `on_close`, `on_stale` and `on_error` hook by itself.
    ///
    /// Once the connection is closed, it also limits all pending `on_error` hooks together. A
    /// connection whose `on_reauthorize` hooks time out stays open.
    pub fn hook_timeout(mut self, timeout: Duration) -> Self {
        self.hook_timeout = timeout;
        self
    }

    /// Sets how long a closing connection waits for a peer that does not read.
    pub fn write_timeout(mut self, timeout: Duration) -> Self {
        self.write_timeout = timeout;
        self
    }

    /// Sets how long to wait for the peer's close frame.
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// Sets whether messages are validated before they are sent. On by default.
    pub fn validate_outbound(mut self, on: bool) -> Self {
        self.validate_outbound = on;
        self
    }
}
