//! The state of the server.

mod sync;

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use switchboard::{CloseCode, ConnId, WsError};
use tokio::time::Instant;

use crate::{
    Client,
    messages::{Join, Participant, Status, Update},
    operation::{Changed, Kind, Operation},
    ring::Ring,
};

/// How many participants there may be.
const MAX_PARTICIPANTS: usize = 1000;

/// The participants, the operations, and the revision that each client has.
#[derive(Debug, Default)]
pub(crate) struct Meeting {
    participants: BTreeMap<String, Participant>,
    operations: Ring,
    /// By participant.
    peers: HashMap<String, Peer>,
    /// The participant of each connection that has joined.
    joined: HashMap<ConnId, String>,
}

#[derive(Debug)]
struct Peer {
    /// `None` once its connection is lost.
    client: Option<Client>,
    sent_rev: u64,
    seen: Instant,
}

impl Meeting {
    pub(crate) fn join(&mut self, client: Client, join: Join) -> Result<(), WsError> {
        let Join { participant_id: id, name } = join;
        let joined = self.joined.get(&client.id());
        if joined.is_some_and(|joined| *joined != id) {
            return Err(WsError::failed_precondition("You have joined as somebody else"));
        }
        // Joining again requests the whole state.
        let since = if joined.is_some() { None } else { client.data().rev };
        let known = self.peers.get(&id).map(|peer| peer.client.as_ref().map(Client::id));
        match known {
            Some(Some(other)) if other != client.id() => {
                return Err(WsError::already_exists("Somebody takes part under this id"));
            }
            None if self.participants.len() >= MAX_PARTICIPANTS => {
                return Err(WsError::resource_exhausted("The meeting is full"));
            }
            _ => {}
        }
        let kind = if known.is_some() { Kind::Updated } else { Kind::Joined };
        let (status, last_active) = (Some(Status::Online), Some(now_ms()));
        self.change(kind, Changed { id: id.clone(), name: Some(name), status, last_active }, None);
        let sent_rev = self.resume(&client, since);
        self.joined.insert(client.id(), id.clone());
        self.peers.insert(id, Peer { client: Some(client), sent_rev, seen: Instant::now() });
        self.tell_all();
        Ok(())
    }

    pub(crate) fn update(&mut self, client: &Client, update: Update) -> Result<(), WsError> {
        let id = self.joined.get(&client.id()).ok_or_else(|| WsError::unauthenticated("Join first"))?.clone();
        self.seen(client.id());
        let Update { patch, base_rev, client_req_id } = update;
        if base_rev.is_some_and(|rev| self.operations.since(rev).is_none()) {
            // The client does not know the state that it changes.
            let sent_rev = self.resume(client, base_rev);
            if let Some(peer) = self.peers.get_mut(&id) {
                peer.sent_rev = sent_rev;
            }
            return Ok(());
        }
        let changed = Changed { id, name: patch.name, status: patch.status, last_active: Some(now_ms()) };
        self.change(Kind::Updated, changed, Some(client_req_id));
        self.tell_all();
        Ok(())
    }

    pub(crate) fn seen(&mut self, client: ConnId) {
        if let Some(peer) = self.joined.get(&client).and_then(|id| self.peers.get_mut(id)) {
            peer.seen = Instant::now();
        }
    }

    pub(crate) fn leave(&mut self, client: ConnId) {
        if let Some(id) = self.joined.remove(&client) {
            self.remove(id);
            self.tell_all();
        }
    }

    /// Marks a participant as away. It may return until it is stale.
    pub(crate) fn closed(&mut self, client: ConnId) {
        let Some(id) = self.joined.remove(&client) else { return };
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.client = None;
        }
        self.change(Kind::Updated, Changed { id, status: Some(Status::Away), ..Changed::default() }, None);
        self.tell_all();
    }

    /// Removes participants that were silent for `stale`.
    pub(crate) fn sweep(&mut self, stale: Duration) {
        let all = self.peers.iter().filter(|(_, peer)| peer.seen.elapsed() > stale);
        let all: Vec<_> = all.map(|(id, _)| id.clone()).collect();
        for id in all {
            if let Some(client) = self.peers.get(&id).and_then(|peer| peer.client.as_ref()) {
                client.close(CloseCode::POLICY, "Heartbeat timeout");
                self.joined.remove(&client.id());
            }
            self.remove(id);
        }
        self.tell_all();
    }

    fn remove(&mut self, id: String) {
        self.peers.remove(&id);
        self.change(Kind::Left, Changed { id, ..Changed::default() }, None);
    }

    /// Records a change of the participants as an operation.
    fn change(&mut self, kind: Kind, changed: Changed, client_req_id: Option<String>) {
        let operation = Operation::new(kind, changed, client_req_id);
        operation.apply(&mut self.participants);
        self.operations.push(operation);
    }

    /// Sends each client the operations that it lacks.
    fn tell_all(&mut self) {
        for peer in self.peers.values_mut() {
            let Some(client) = &peer.client else { continue };
            if peer.sent_rev < self.operations.rev() {
                peer.sent_rev = sync::tell(client, peer.sent_rev, &self.operations, &self.participants);
            }
        }
    }

    /// Sends the operations since a revision, or everything. Returns the revision that the client
    /// then has.
    fn resume(&self, client: &Client, since: Option<u64>) -> u64 {
        match since {
            Some(rev) => sync::tell(client, rev, &self.operations, &self.participants),
            None => sync::snapshot(client, &self.operations, &self.participants),
        }
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
