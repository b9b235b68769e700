//! Requests of the simulated application to clients of other nodes.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use switchboard_core::broker::UserKey;

use super::{application::USERS, application::user, world::World};
use crate::{ClientRequestId, ClientsOf, ReceivedClientRequest};

/// How long clients may take.
const TIME: Duration = Duration::from_secs(2);

/// A request that has not ended.
#[derive(Debug)]
pub(super) struct AskedClients {
    user: UserKey,
    pub(super) begun: Duration,
    /// The connections that have responded.
    responses: BTreeSet<u64>,
}

impl World {
    /// Asks the clients of a user that are connected to other nodes.
    pub(super) fn ask_clients(&mut self, node: usize) {
        let now = self.now;
        let Some(user) = user(self.random.below(USERS)) else { return };
        let Some(process) = self.nodes[node].process.as_mut() else { return };
        if let Ok(id) = process.cluster.request_clients(&ClientsOf::User(user.clone()), Bytes::new(), TIME, now) {
            self.trace.add(now, format_args!("node {node} asks the clients of {user}: {id:?}"));
            process.requests.insert(id, AskedClients { user, begun: now, responses: BTreeSet::new() });
        }
    }

    /// Gives up a request, as an application does that was answered.
    pub(super) fn cancel_request(&mut self, node: usize) {
        let now = self.now;
        let Some(process) = self.nodes[node].process.as_mut() else { return };
        if let Some((id, _)) = process.requests.pop_first() {
            process.cluster.cancel_client_request(id, now);
            self.trace.add(now, format_args!("node {node} gives up {id:?}"));
        }
    }

    /// Some clients respond at once, the others not at all.
    pub(super) fn requested(&mut self, node: usize, request: &ReceivedClientRequest) {
        let now = self.now;
        let is_silent = self.random.below(4) == 0;
        let Some(process) = self.nodes[node].process.as_mut() else { return };
        let ClientsOf::User(user) = &request.clients else { return };
        if is_silent {
            process.silent.insert(request.reply);
            return;
        }
        let of_user = process.connections.iter().filter(|(_, other)| *other == user).map(|(connection, _)| *connection);
        for connection in of_user.collect::<Vec<_>>() {
            let response = Bytes::copy_from_slice(&connection.to_be_bytes());
            // It is short enough.
            let _ = process.cluster.respond(request.reply, response, now);
        }
        process.cluster.end_client_request(request.reply, true, now);
    }

    pub(super) fn responded(&mut self, node: usize, id: ClientRequestId, response: &[u8]) {
        let Some(process) = self.nodes[node].process.as_mut() else { return };
        let Some(request) = process.requests.get_mut(&id) else { return };
        let connection = response.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        if !request.responses.insert(connection) {
            self.judge.violation(format!("node {node} got the response of a connection to {id:?} twice"));
        }
    }

    pub(super) fn request_ended(&mut self, node: usize, id: ClientRequestId, is_complete: bool) {
        let now = self.now;
        let Some(process) = self.nodes[node].process.as_mut() else { return };
        let Some(request) = process.requests.remove(&id) else { return };
        self.trace.add(now, format_args!("node {node} has ended {id:?}: complete: {is_complete}"));
        let AskedClients { user, begun, responses } = request;
        self.judge.request_ended(node, (&user, begun, TIME), &responses, is_complete, now);
    }
}
