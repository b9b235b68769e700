//! What a connection's handles, its task and its topics share.

use std::{any::Any, net::SocketAddr, sync::Arc};

use parking_lot::Mutex;

use super::{ConnId, Outbox, Promise, Pushed};
use crate::{Config, Hub, extract::Kept, hub::Subscriptions, router::MountedSettings, transport::Frame, turn};

/// One allocation for all; topics hold it with the data's type erased.
pub(crate) struct ConnInner<D: ?Sized> {
    pub(crate) outbox: Outbox,
    pub(crate) id: ConnId,
    pub(crate) subscriptions: Mutex<Subscriptions>,
    pub(crate) settings: Arc<MountedSettings>,
    pub(crate) state: Arc<dyn Any + Send + Sync>,
    pub(crate) kept: Kept,
    pub(crate) remote_addr: Option<SocketAddr>,
    pub(crate) data: D,
}

/// A connection whatever its data.
pub(crate) type AnyConn = ConnInner<dyn Any + Send + Sync>;

impl<D: ?Sized> ConnInner<D> {
    pub(crate) fn hub(&self) -> &Hub {
        &self.settings.hub
    }

    pub(crate) fn config(&self) -> &Config {
        &self.settings.config
    }

    /// Sends a frame, behind all that was sent and published before. `false` once closing.
    pub(crate) fn push(&self, frame: Frame) -> bool {
        turn::seal();
        let mut pushed = self.outbox.push(frame.clone(), Promise::Owner);
        if pushed == Pushed::Full {
            // What waits may fit into the socket.
            self.check_size(&frame);
            self.write_early();
            pushed = self.outbox.push_anyway(frame, Promise::Owner);
        }
        if matches!(pushed, Pushed::Ripe | Pushed::Pressed) {
            self.write_early();
        }
        pushed != Pushed::Closed
    }

    /// Sends a reply, which also leaves while the connection closes.
    pub(crate) fn push_reply(&self, frame: Frame) {
        if !self.push(frame.clone()) {
            self.outbox.push_last(frame);
        }
    }

    /// Says what to do about a message that no queue takes.
    pub(crate) fn check_size(&self, frame: &Frame) {
        let limit = self.config().max_outbound_bytes;
        if frame.cost() > limit {
            tracing::warn!(
                conn = %self.id, bytes = frame.cost(), limit,
                "a message is larger than a connection's outbound queue: raise `Config::max_outbound_bytes`"
            );
        }
    }

    /// Writes what waits, instead of at the end of the turn.
    pub(crate) fn write_early(&self) {
        if turn::is_of(&self.outbox) {
            turn::write_out(&self.outbox);
            self.outbox.write();
        } else {
            self.outbox.flush();
        }
    }
}
