//! All limits and times in one place.

use std::time::Duration;

/// The limits and times of a route. Every queue, buffer and wait has its bound here.
///
/// | setting | default | beyond it |
/// |---|---|---|
/// | [`max_message_bytes`](Self::max_message_bytes) | 64 KiB | close 1009 |
/// | [`max_fragments`](Self::max_fragments) | 1024 of one message | close 1009 |
/// | [`message_timeout`](Self::message_timeout) | 10 s from a message's first to its last byte | close 1008 |
/// | [`max_control_frames`](Self::max_control_frames) | 500 pings and pongs in 10 s | close 4006 |
/// | [`max_outbound_bytes`](Self::max_outbound_bytes) | 1 MiB | close 4002 |
/// | [`max_inbox`](Self::max_inbox) | 32 messages, 64 KiB | the socket is not read |
/// | [`max_bad_messages`](Self::max_bad_messages) | 20 in a row | close 1008 |
/// | [`max_subscriptions`](Self::max_subscriptions) | 128 per connection | `RESOURCE_EXHAUSTED` |
/// | [`handler_timeout`](Self::handler_timeout) | 30 s | `DEADLINE_EXCEEDED` |
/// | [`max_request_timeout`](Self::max_request_timeout) | 5 min | longer `meta.timeoutMs` are cut |
/// | [`upgrade_timeout`](Self::upgrade_timeout) | 10 s | HTTP 503 |
/// | [`hook_timeout`](Self::hook_timeout) | 10 s each | `on_open`: close 1011; `on_close`: dropped |
/// | [`write_timeout`](Self::write_timeout) | 3 s | the socket is dropped |
/// | [`close_timeout`](Self::close_timeout) | 2 s | the socket is dropped |
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
    pub(crate) max_outbound_bytes: usize,
    pub(crate) max_inbox_messages: usize,
    pub(crate) max_inbox_bytes: usize,
    pub(crate) max_bad_messages: u32,
    pub(crate) max_subscriptions: usize,
    pub(crate) handler_timeout: Duration,
    pub(crate) max_request_timeout: Duration,
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
            max_outbound_bytes: 1024 * 1024,
            max_inbox_messages: 32,
            max_inbox_bytes: 64 * 1024,
            max_bad_messages: 20,
            max_subscriptions: 128,
            handler_timeout: Duration::from_secs(30),
            max_request_timeout: Duration::from_secs(300),
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

    /// How many pings and pongs a client may send in ten seconds. axum's transport does not count
    /// them.
    pub fn max_control_frames(mut self, count: u32) -> Self {
        self.max_control_frames = count;
        self
    }

    /// How many bytes may wait to be written to one connection, each message's overhead included:
    /// more than the largest message that is sent, in any case.
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

    /// How long authentication and the other extractors of an upgrade may take together.
    pub fn upgrade_timeout(mut self, timeout: Duration) -> Self {
        self.upgrade_timeout = timeout;
        self
    }

    /// How long all `on_open` hooks together, and all `on_close` hooks together, may take.
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
