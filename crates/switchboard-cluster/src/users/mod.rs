//! Which users are online on which node.
//!
//! Each node is the only writer of its own users, and tells the others by deltas with versions. Heartbeats carry the
//! version and a digest, so a node notices that it has missed something, and asks for a snapshot.

mod changes;
mod local;
mod remote;
mod serving;
mod snapshots;

use switchboard_core::broker::UserKey;

pub(crate) use self::{
    changes::UserChanges,
    local::LocalUsers,
    remote::{Applied, RemoteUsers},
    serving::Serving,
    snapshots::{Page, Snapshots},
};
use crate::hash::fnv1a;

/// Returns what a user contributes to the digest of its node. A digest is the exclusive or of all of them, so that it can
/// be changed by one user, in any order.
fn digest(key: &UserKey, connections: u32) -> u64 {
    if connections == 0 { 0 } else { fnv1a(&[key.as_str().as_bytes(), &[0xff], &connections.to_be_bytes()]) }
}
