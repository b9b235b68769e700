//! The state that a connection's handles, its task and its topics share.

mod settings;
mod subscriber;
mod upgrade_values;

use std::{
    any::Any,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::Mutex;
use serde::Serialize;
use switchboard_core::{CloseCode, close_reason, envelope::Wire};

pub(crate) use self::{
    settings::RouteSettings,
    upgrade_values::{UpgradeValue, UpgradeValues},
};
use crate::{
    Config, Hub, SendError,
    conn::{
        ConnId,
        cold::ColdCell,
        heartbeat::{Heartbeat, Liveness, WriteProgress},
    },
    fanout::turn,
    hub::{Check, ConnectionPermit, Subscriptions, TimerKey},
    outbox::{FlushBy, Pushed},
    transport::Outbox,
    wire::{Frame, Variants, encode, encode_for},
};

/// The shared state of a connection, in one allocation. Topics hold it with the data's type erased.
pub(crate) struct ConnInner<D: ?Sized> {
    pub(crate) outbox: Outbox,
    pub(crate) id: ConnId,
    pub(crate) subscriptions: Mutex<Subscriptions>,
    pub(crate) settings: Arc<RouteSettings>,
    pub(crate) state: Arc<dyn Any + Send + Sync>,
    pub(crate) kept: UpgradeValues,
    pub(crate) remote_addr: Option<SocketAddr>,
    /// The address reported by a trusted proxy, if it differs from the peer's.
    forwarded_ip: Option<Box<IpAddr>>,
    pub(crate) dialect: Dialect,
    pub(crate) heartbeat: Heartbeat,
    /// The time of the last message, in milliseconds since 1970; 0 before the first.
    pub(crate) active_at: AtomicU64,
    signals: AtomicU8,
    pub(crate) timer: TimerKey,
    pub(crate) cold: ColdCell,
    pub(crate) data: D,
}

/// A connection with the type of its data erased.
pub(crate) type AnyConn = ConnInner<dyn Any + Send + Sync>;

/// The dialect of a client, chosen by its subprotocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Dialect {
    /// The client understands control messages (`$ws:…`).
    pub(crate) extended: bool,
    pub(crate) messagepack: bool,
    /// Frames need no conversion: JSON in the standard envelope.
    pub(crate) standard: bool,
}

/// A signal to a connection's task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Handle no further messages, and close once running handlers are done.
    Drain = 1,
    /// Run the `on_reauthorize` hooks.
    Reauthorize = 2,
    /// Run the `on_stale` hooks: the peer has not answered a ping.
    Stale = 4,
}

#[derive(Serialize)]
struct Gap<'a> {
    topic: &'a str,
    reason: &'a str,
}

/// Encodes a `$ws:gap`: messages of this topic were lost, for the reason that `docs/protocol.md` names.
pub(crate) fn gap_frame(topic: &str, reason: &str) -> Option<Frame> {
    encode::control("$ws:gap", None, &Gap { topic, reason })
}

/// What an upgrade passes to its connection.
pub(crate) struct ConnOrigin<D> {
    pub(crate) settings: Arc<RouteSettings>,
    pub(crate) state: Arc<dyn Any + Send + Sync>,
    pub(crate) kept: UpgradeValues,
    pub(crate) remote_addr: Option<SocketAddr>,
    pub(crate) client_ip: Option<IpAddr>,
    pub(crate) dialect: Dialect,
    pub(crate) permit: Option<Box<ConnectionPermit>>,
    pub(crate) data: D,
}

impl<D> ConnInner<D> {
    pub(crate) fn new(origin: ConnOrigin<D>) -> Self {
        let ConnOrigin { settings, state, kept, remote_addr, client_ip, dialect, permit, data } = origin;
        let peer = remote_addr.map(|addr| addr.ip());
        let forwarded_ip = client_ip.filter(|ip| Some(*ip) != peer).map(Box::new);
        let cold = ColdCell::new();
        if let Some(permit) = permit {
            *cold.get_or_init(Box::default).permit.lock() = Some(permit);
        }
        Self {
            outbox: Outbox::new(settings.config.max_outbound_bytes, settings.hub.queued()),
            id: ConnId::new(),
            subscriptions: Mutex::default(),
            settings,
            state,
            kept,
            remote_addr,
            forwarded_ip,
            dialect,
            heartbeat: Heartbeat::default(),
            active_at: AtomicU64::new(0),
            signals: AtomicU8::new(0),
            timer: TimerKey::default(),
            cold,
            data,
        }
    }
}

impl<D: ?Sized> ConnInner<D> {
    pub(crate) fn hub(&self) -> &Hub {
        &self.settings.hub
    }

    pub(crate) fn config(&self) -> &Config {
        &self.settings.config
    }

    /// Returns the client's IP address.
    pub(crate) fn client_ip(&self) -> Option<IpAddr> {
        self.forwarded_ip.as_deref().copied().or_else(|| self.remote_addr.map(|addr| addr.ip()))
    }

    /// Returns the wire format of this connection's frames.
    pub(crate) fn wire(&self) -> &Wire {
        if self.dialect.messagepack { &self.settings.messagepack } else { &self.settings.json }
    }

    /// Converts a frame to this connection's wire format. `None` if that is impossible.
    pub(crate) fn encode_for(&self, frame: Frame) -> Option<Frame> {
        if self.dialect.standard { Some(frame) } else { encode_for(self.wire(), &frame, self.hub().log_limit()) }
    }

    /// Converts a frame that goes to many connections, once for each wire format.
    pub(crate) fn variant(&self, frame: &Frame, variants: &mut Variants) -> Option<Frame> {
        if self.dialect.standard {
            Some(frame.clone())
        } else {
            variants.get(self.wire(), frame, self.hub().log_limit())
        }
    }

    /// Sends a signal to the connection's task.
    pub(crate) fn signal(&self, signal: Signal) {
        self.signals.fetch_or(signal as u8, Relaxed);
        self.outbox.wake_owner();
    }

    pub(crate) fn is_told(&self, signal: Signal) -> bool {
        self.signals.load(Relaxed) & signal as u8 != 0
    }

    /// Returns whether this signal was sent, and clears it.
    pub(crate) fn take_signal(&self, signal: Signal) -> bool {
        self.is_told(signal) && self.signals.fetch_and(!(signal as u8), Relaxed) & signal as u8 != 0
    }

    /// Returns whether any signal was sent.
    pub(crate) fn has_signals(&self) -> bool {
        self.signals.load(Relaxed) != 0
    }

    /// Queues a frame behind everything sent and published before. Fails if the connection is
    /// closing or the frame cannot be converted to its wire format.
    pub(crate) fn push(&self, frame: Frame) -> Result<(), SendError> {
        let frame = self.encode_for(frame).ok_or_else(SendError::no_envelope)?;
        if self.push_raw(frame) { Ok(()) } else { Err(SendError::closed()) }
    }

    /// Queues a frame without converting it. Returns `false` if the connection is closing.
    pub(crate) fn push_raw(&self, frame: Frame) -> bool {
        let mut pushed = self.outbox.push(frame.clone(), FlushBy::Owner);
        if pushed == Pushed::NoRoom {
            // Writing what is queued may make room.
            self.check_size(&frame);
            self.write_early();
            self.make_room(frame.cost());
            pushed = self.outbox.push_anyway(frame, FlushBy::Owner);
        }
        if matches!(pushed, Pushed::WriteNow | Pushed::AboveWatermark) {
            self.write_early();
        }
        pushed != Pushed::Closed
    }

    /// Closes the connection behind everything sent and published before.
    pub(crate) fn close(&self, code: CloseCode, reason: &str) {
        let code = if code.is_sendable() { code } else { CloseCode::NORMAL };
        self.outbox.close(code, close_reason(reason));
    }

    /// Queues a reply, which is written even while the connection closes. Fails only if the frame
    /// cannot be converted to the connection's wire format.
    pub(crate) fn push_reply(&self, frame: Frame) -> Result<(), SendError> {
        let frame = self.encode_for(frame).ok_or_else(SendError::no_envelope)?;
        match self.outbox.push_reply(frame.clone()) {
            Pushed::Queued => {}
            Pushed::WriteNow | Pushed::AboveWatermark => self.write_early(),
            Pushed::NoRoom if self.push_raw(frame.clone()) => {}
            Pushed::NoRoom | Pushed::Closed => self.outbox.push_last(frame),
        }
        Ok(())
    }

    /// Warns of a message that is larger than the whole outbound queue may be.
    pub(crate) fn check_size(&self, frame: &Frame) {
        let limit = self.config().max_outbound_bytes;
        if frame.cost() > limit
            && let Some(suppressed) = self.hub().may_log()
        {
            tracing::warn!(
                conn = %self.id, bytes = frame.cost(), limit, suppressed,
                "a message is larger than a connection's outbound queue: raise `Config::max_outbound_bytes`"
            );
        }
    }

    /// Drops queued messages of topics that allow it, to make room for `cost` bytes.
    pub(crate) fn make_room(&self, cost: usize) {
        self.outbox.make_room(cost, |topic| self.gap(topic));
    }

    /// Encodes a `$ws:gap`: messages of this topic were dropped. `None` for a client that does not
    /// understand it.
    pub(crate) fn gap(&self, topic: &str) -> Option<Frame> {
        let frame = self.dialect.extended.then(|| gap_frame(topic, "overflow")).flatten();
        frame.and_then(|frame| self.encode_for(frame))
    }

    fn written(&self) -> WriteProgress {
        let (bytes, waits, behind) = self.outbox.progress();
        WriteProgress { bytes, waits, behind }
    }

    /// Writes what is queued now, instead of at the end of the turn.
    pub(crate) fn write_early(&self) {
        if turn::is_of(&self.outbox) {
            turn::write_out(&self.outbox);
            self.outbox.write();
        } else {
            self.outbox.flush();
        }
    }
}

impl AnyConn {
    /// Runs a scheduled check. Returns the next one and the time until then.
    pub(crate) fn check(&self, check: Check) -> Option<(Check, Duration)> {
        if self.outbox.is_closed() {
            return None;
        }
        let config = self.config();
        match check {
            Check::Ping => {
                self.heartbeat.ping(self.written());
                self.outbox.push_ping(FlushBy::Caller);
                self.outbox.flush();
                Some((Check::Pong, config.pong_timeout))
            }
            Check::Pong => match self.heartbeat.check(self.written()) {
                Liveness::Alive => {
                    let rest = config.ping_interval.unwrap_or_default().saturating_sub(config.pong_timeout);
                    Some((Check::Ping, rest))
                }
                Liveness::Wait => Some((Check::Pong, config.pong_timeout)),
                Liveness::NotReading => {
                    self.outbox.overflow();
                    None
                }
                Liveness::Stale => {
                    self.signals.fetch_or(Signal::Stale as u8, Relaxed);
                    self.outbox.close(CloseCode::POLICY, "Heartbeat timeout");
                    None
                }
            },
            Check::Identified => {
                self.check_identified();
                None
            }
            Check::Expired => self.check_expiry().map(|left| (Check::Expired, left)),
            Check::Reauthorize => {
                self.signal(Signal::Reauthorize);
                config.reauthorize_interval.map(|interval| (Check::Reauthorize, interval))
            }
        }
    }
}
