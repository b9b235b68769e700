//! Requests of other nodes that this node's clients are to answer.

use rustc_hash::FxHashMap;
use switchboard_core::broker::NodeId;

use crate::{ClientRequestReply, ClusterConfig};

#[derive(Debug)]
pub(crate) struct ServedRequests {
    /// How many responses were passed on.
    served: FxHashMap<ClientRequestReply, u64>,
    max_served: usize,
}

impl ServedRequests {
    pub(crate) fn new(config: &ClusterConfig) -> Self {
        Self { served: FxHashMap::default(), max_served: config.max_served_requests }
    }

    /// Begins to serve a request. Returns `false` if there are too many.
    pub(crate) fn begin(&mut self, reply: ClientRequestReply) -> bool {
        let has_room = self.served.len() < self.max_served || self.served.contains_key(&reply);
        if has_room {
            self.served.insert(reply, 0);
        }
        has_room
    }

    pub(crate) fn len(&self) -> usize {
        self.served.len()
    }

    /// Returns the number of the next response; `None` if nobody waits for it any more.
    pub(crate) fn respond(&mut self, reply: ClientRequestReply) -> Option<u64> {
        let responses = self.served.get_mut(&reply)?;
        *responses += 1;
        Some(*responses)
    }

    /// Ends a request. Returns how many responses it had; `None` if nobody waits for them any more.
    pub(crate) fn end(&mut self, reply: ClientRequestReply) -> Option<u64> {
        self.served.remove(&reply)
    }

    /// Ends all requests of a node that is gone.
    pub(crate) fn forget(&mut self, node: NodeId) -> Vec<ClientRequestReply> {
        let of_node: Vec<_> = self.served.keys().filter(|reply| reply.node == node).copied().collect();
        of_node.iter().for_each(|reply| _ = self.served.remove(reply));
        of_node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(node: u8, request: u64) -> ClientRequestReply {
        ClientRequestReply { node: NodeId::from_bytes([node; 16]), request }
    }

    #[test]
    fn responses_are_numbered_until_the_request_ends() {
        let mut served = ServedRequests::new(&ClusterConfig::new().max_served_requests(2));
        assert!(served.begin(reply(1, 1)) && served.begin(reply(2, 1)));
        assert!(!served.begin(reply(1, 2)), "there are too many");
        assert_eq!((served.respond(reply(1, 1)), served.respond(reply(1, 1))), (Some(1), Some(2)));
        assert_eq!((served.end(reply(1, 1)), served.end(reply(1, 1))), (Some(2), None));
        assert_eq!(served.respond(reply(1, 1)), None);
        assert_eq!(served.forget(reply(2, 1).node), [reply(2, 1)]);
        assert!(served.served.is_empty());
    }
}
