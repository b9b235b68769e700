//! The client's part: the server's state, with the client's unconfirmed changes on top.

mod error;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::{BTreeMap, VecDeque};

use serde_json::json;
use switchboard::Message;

pub use self::error::ReplicaError;
use self::wire::{Envelope, Pending};
use crate::messages::{Heartbeat, Join, Leave, Participant, Patch, RevisionGap, SyncDeltas, SyncSnapshot};

/// How many changes may be unconfirmed.
const MAX_PENDING: usize = 100;

/// One client's view of the meeting. It has no socket: it creates the text frames to send, and
/// handles received ones.
///
/// Its own changes are visible at once. They are kept until an operation or an error with their
/// `clientReqId` arrives; a snapshot discards them.
#[derive(Debug)]
pub struct Replica {
    id: String,
    name: String,
    /// `None` before the first message of the server.
    rev: Option<u64>,
    confirmed: BTreeMap<String, Participant>,
    pending: VecDeque<Pending>,
    last_req: u64,
}

impl Replica {
    /// Creates a replica for the participant with this id and name.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        let (confirmed, pending) = Default::default();
        Self { id: id.into(), name: name.into(), rev: None, confirmed, pending, last_req: 0 }
    }

    /// Returns the path to connect to. It has the known revision, so that only later changes are
    /// sent.
    #[must_use]
    pub fn path(&self) -> String {
        self.rev.map_or_else(|| "/ws".to_owned(), |rev| format!("/ws?rev={rev}"))
    }

    /// Returns the first frames of a connection: `JOIN`, and the unconfirmed changes.
    #[must_use]
    pub fn join(&self) -> Vec<String> {
        let join = json!({ "participantId": self.id, "name": self.name });
        let again = self.pending.iter().map(Pending::frame);
        std::iter::once(json!({ "type": Join::TYPE, "payload": join }).to_string()).chain(again).collect()
    }

    /// Changes the own entry, and returns the frame for the server.
    ///
    /// # Errors
    ///
    /// [`TooManyPending`](ReplicaError::TooManyPending): nothing has changed.
    pub fn update(&mut self, patch: Patch) -> Result<String, ReplicaError> {
        if self.pending.len() >= MAX_PENDING {
            return Err(ReplicaError::TooManyPending);
        }
        self.last_req += 1;
        let pending = Pending { client_req_id: format!("{}-{}", self.id, self.last_req), base_rev: self.rev, patch };
        let frame = pending.frame();
        self.pending.push_back(pending);
        Ok(frame)
    }

    /// Returns the frame that shows that the client is present.
    #[must_use]
    pub fn heartbeat(&self) -> String {
        json!({ "type": Heartbeat::TYPE }).to_string()
    }

    /// Returns the frame that leaves the meeting.
    #[must_use]
    pub fn leave(&self) -> String {
        json!({ "type": Leave::TYPE }).to_string()
    }

    /// Handles a frame of the server.
    ///
    /// # Errors
    ///
    /// [`Unreadable`](ReplicaError::Unreadable) and [`Gap`](ReplicaError::Gap): nothing has
    /// changed.
    pub fn receive(&mut self, frame: &str) -> Result<(), ReplicaError> {
        let Envelope { message_type, meta, payload } = serde_json::from_str(frame)?;
        match &*message_type {
            SyncSnapshot::TYPE => {
                let SyncSnapshot { rev, participants } = serde_json::from_value(payload)?;
                (self.rev, self.confirmed) = (Some(rev), participants);
                self.pending.clear();
            }
            SyncDeltas::TYPE => self.take_deltas(serde_json::from_value(payload)?)?,
            // A snapshot follows. The pending changes are based on a state that is lost.
            RevisionGap::TYPE => self.pending.clear(),
            "ERROR" => self.settle(meta.correlation_id.as_deref()),
            // A message of a newer server.
            _ => {}
        }
        Ok(())
    }

    fn take_deltas(&mut self, deltas: SyncDeltas) -> Result<(), ReplicaError> {
        let SyncDeltas { from_rev, to_rev, operations } = deltas;
        let Some(rev) = self.rev.filter(|rev| from_rev <= *rev) else {
            return Err(ReplicaError::Gap { rev: self.rev, from_rev });
        };
        for operation in operations.into_iter().filter(|operation| operation.rev > rev) {
            self.settle(operation.client_req_id.as_deref());
            operation.apply(&mut self.confirmed);
        }
        self.rev = Some(rev.max(to_rev));
        Ok(())
    }

    /// Removes a change that the server has confirmed or refused.
    fn settle(&mut self, client_req_id: Option<&str>) {
        self.pending.retain(|pending| Some(&*pending.client_req_id) != client_req_id);
    }

    /// Returns the participants, with the own unconfirmed changes.
    #[must_use]
    pub fn participants(&self) -> BTreeMap<String, Participant> {
        let mut all = self.confirmed.clone();
        if let Some(own) = all.get_mut(&self.id) {
            for Pending { patch, .. } in &self.pending {
                own.change(patch.name.as_deref(), patch.status);
            }
        }
        all
    }

    /// Returns how many own changes are unconfirmed.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Returns the known revision.
    #[must_use]
    pub fn rev(&self) -> Option<u64> {
        self.rev
    }
}
