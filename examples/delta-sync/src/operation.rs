//! Changes of the participants, which server and client apply in the same way.

use std::collections::BTreeMap;

use switchboard::ws_payload;

use crate::messages::{Participant, Status};

/// A change.
#[ws_payload]
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) rev: u64,
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    pub(crate) payload: Changed,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_req_id: Option<String>,
}

#[ws_payload]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    #[serde(rename = "participant.joined")]
    Joined,
    #[serde(rename = "participant.updated")]
    Updated,
    #[serde(rename = "participant.left")]
    Left,
}

/// The participant, and its new values: all of them for a join, none for a leave.
#[ws_payload]
#[derive(Debug, Clone, Default)]
pub(crate) struct Changed {
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_active: Option<u64>,
}

impl Operation {
    /// Creates the next operation, whose revision is not known yet.
    pub(crate) fn new(kind: Kind, payload: Changed, client_req_id: Option<String>) -> Self {
        Self { rev: 0, kind, payload, client_req_id }
    }

    /// Applies it. An operation that does not fit has no effect, such as an update of a participant
    /// who has left.
    pub(crate) fn apply(&self, participants: &mut BTreeMap<String, Participant>) {
        let Changed { id, name, status, last_active } = &self.payload;
        match self.kind {
            Kind::Joined => {
                if let (Some(name), Some(status), Some(last_active)) = (name.clone(), *status, *last_active) {
                    let participant = Participant { id: id.clone(), name, status, last_active };
                    participants.insert(id.clone(), participant);
                }
            }
            Kind::Updated => {
                if let Some(participant) = participants.get_mut(id) {
                    participant.change(name.as_deref(), *status);
                    participant.last_active = last_active.unwrap_or(participant.last_active);
                }
            }
            Kind::Left => drop(participants.remove(id)),
        }
    }
}

impl Participant {
    /// Changes the given values.
    pub(crate) fn change(&mut self, name: Option<&str>, status: Option<Status>) {
        if let Some(name) = name {
            name.clone_into(&mut self.name);
        }
        self.status = status.unwrap_or(self.status);
    }
}
