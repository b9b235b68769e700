//! The messages that synchronise a client: operations, or a snapshot.

use std::collections::BTreeMap;

use crate::{
    Client,
    messages::{Participant, RevisionGap, SyncDeltas, SyncSnapshot},
    ring::Ring,
};

/// It does not matter whether the client is still connected: its close hook follows.
pub(super) fn tell(client: &Client, from: u64, ring: &Ring, participants: &BTreeMap<String, Participant>) -> u64 {
    let rev = ring.rev();
    if let Some(operations) = ring.since(from) {
        let _ = client.send(SyncDeltas { from_rev: from, to_rev: rev, operations });
        return rev;
    }
    let _ = client.send(RevisionGap {
        expected_rev: from,
        server_rev: rev,
        buffer_first_rev: ring.first_rev(),
        resume_from: rev,
    });
    snapshot(client, ring, participants)
}

pub(super) fn snapshot(client: &Client, ring: &Ring, participants: &BTreeMap<String, Participant>) -> u64 {
    let _ = client.send(SyncSnapshot { rev: ring.rev(), participants: participants.clone() });
    ring.rev()
}
