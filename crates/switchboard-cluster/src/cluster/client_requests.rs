//! Requests to clients that are connected to other nodes.

use std::time::Duration;

use bytes::Bytes;
use switchboard_core::broker::{Channel, NodeId};

use super::Cluster;
use crate::{
    ClientRequestId, ClientRequestReply, ClientsOf, ClusterError, Health, Output, ReceivedClientRequest,
    bus::{BusMessage, Origin},
    operations::Purpose,
};

/// How much less time clients of other nodes have than the request: at most this, and at most an eighth of it. So that a
/// node can say in time that its clients did not answer.
const RETURN_TIME: Duration = Duration::from_millis(250);

impl Cluster {
    /// Sends a request to clients of other nodes. [`Output::ClientResponse`] follows for each response, then
    /// [`Output::ClientRequestEnded`], after `time` at the latest.
    ///
    /// Clients of this node are the caller's to ask. A user's connections that another node has identified within the last
    /// moments may not be asked.
    ///
    /// # Errors
    ///
    /// [`TooManyClientRequests`](ClusterError::TooManyClientRequests) or
    /// [`TooManyOutputBytes`](ClusterError::TooManyOutputBytes).
    pub fn request_clients(
        &mut self,
        clients: &ClientsOf,
        payload: Bytes,
        time: Duration,
        now: Duration,
    ) -> Result<ClientRequestId, ClusterError> {
        self.advance(now);
        self.check_room()?;
        let (channel, expected, is_complete) = match clients {
            ClientsOf::User(user) => {
                (Channel::User(user.clone()), self.remote_users.nodes_with(user).collect(), self.knows_all())
            }
            ClientsOf::AllNodes => {
                let is_complete = !self.nodes.is_any_down() && self.health(now) == Health::Healthy;
                (Channel::AllNodes, self.nodes.up().collect(), is_complete)
            }
        };
        let deadline = now.saturating_add(time);
        let outputs = &mut self.operations.outputs;
        let request = self.asked_requests.begin(channel.clone(), expected, is_complete, deadline, outputs)?;
        if self.asked_requests.is_pending(request) {
            let time = time.saturating_sub(RETURN_TIME.min(time / 8));
            let time_ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            let message = BusMessage::ClientRequest { request, time_ms, payload };
            self.send(Purpose::ClientRequest(request), channel, &message, now);
        }
        Ok(ClientRequestId(request))
    }

    /// Gives up a request: its responses are not needed any more, and nodes that still wait for clients are told.
    ///
    /// Without effect if it has ended.
    pub fn cancel_client_request(&mut self, request: ClientRequestId, now: Duration) {
        self.advance(now);
        if let Some(channel) = self.asked_requests.cancel(request.0) {
            self.send(Purpose::Message, channel, &BusMessage::ClientRequestCancelled { request: request.0 }, now);
        }
    }

    /// Passes on a client's response to a request of another node. Without effect if nobody waits for it any more.
    ///
    /// # Errors
    ///
    /// [`ResponseTooLong`](ClusterError::ResponseTooLong): then another one can be passed on in its place.
    pub fn respond(&mut self, reply: ClientRequestReply, payload: Bytes, now: Duration) -> Result<(), ClusterError> {
        self.advance(now);
        if payload.len() > self.config.max_response_bytes {
            return Err(ClusterError::ResponseTooLong { limit: self.config.max_response_bytes });
        }
        if let Some(number) = self.served_requests.respond(reply) {
            // One that finds no room is noticed by its number.
            if self.check_room().is_ok() {
                let message = BusMessage::ClientResponse { request: reply.request, number, payload };
                self.send(Purpose::Message, Channel::Node(reply.node), &message, now);
            }
        }
        Ok(())
    }

    /// Says that no more responses follow to a request of another node, and whether all clients were asked.
    pub fn end_client_request(&mut self, reply: ClientRequestReply, is_complete: bool, now: Duration) {
        self.advance(now);
        if let Some(responses) = self.served_requests.end(reply) {
            self.send_done(reply, responses, is_complete, now);
        }
    }

    fn send_done(&mut self, reply: ClientRequestReply, responses: u64, is_complete: bool, now: Duration) {
        let message = BusMessage::ClientRequestDone { request: reply.request, responses, is_complete };
        self.send(Purpose::Message, Channel::Node(reply.node), &message, now);
    }

    /// Takes a request of another node.
    pub(super) fn client_request(
        &mut self,
        clients: ClientsOf,
        origin: Origin,
        request: u64,
        (time, payload): (Duration, Bytes),
        now: Duration,
    ) {
        let reply = ClientRequestReply { node: origin.node, request };
        if matches!(&clients, ClientsOf::User(user) if self.local_users.connections(user) == 0) {
            // The subscription lingers after the user's last connection.
            self.send_done(reply, 0, true, now);
        } else if self.served_requests.begin(reply) {
            let received = ReceivedClientRequest { reply, clients, time, payload };
            self.operations.outputs.push_back(Output::ClientRequest(received));
        } else {
            self.send_done(reply, 0, false, now);
        }
    }

    /// Takes the end of another node's interest in its request.
    pub(super) fn client_request_cancelled(&mut self, origin: Origin, request: u64) {
        let reply = ClientRequestReply { node: origin.node, request };
        if self.served_requests.end(reply).is_some() {
            self.operations.outputs.push_back(Output::ClientRequestCancelled(reply));
        }
    }

    /// Does what follows for requests when a node is silent, and perhaps gone.
    pub(super) fn requests_lose(&mut self, node: NodeId, is_gone: bool) {
        let outputs = &mut self.operations.outputs;
        self.asked_requests.node_lost(node, outputs);
        if is_gone {
            let forgotten = self.served_requests.forget(node);
            forgotten.into_iter().for_each(|reply| outputs.push_back(Output::ClientRequestCancelled(reply)));
        }
    }
}
