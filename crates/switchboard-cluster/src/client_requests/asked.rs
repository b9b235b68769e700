//! Requests of this node, and the responses that come back.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use rustc_hash::{FxHashMap, FxHashSet};
use switchboard_core::broker::{Channel, NodeId};

use crate::{ClientRequestId, ClusterConfig, ClusterError, Output, outputs::Outputs};

/// What a response takes beside its bytes, so that empty ones are limited, too.
const RESPONSE_OVERHEAD: usize = 64;

#[derive(Debug)]
pub(crate) struct AskedRequests {
    next: u64,
    pending: FxHashMap<u64, AskedRequest>,
    deadlines: BTreeSet<(Duration, u64)>,
    max_pending: usize,
    max_collected_bytes: usize,
    max_nodes: usize,
}

#[derive(Debug)]
struct AskedRequest {
    /// Where it was published.
    channel: Channel,
    deadline: Duration,
    /// Nodes that have not said that their responses are complete.
    expected: FxHashSet<NodeId>,
    /// How many responses have come, by node.
    received: FxHashMap<NodeId, u64>,
    bytes: usize,
    is_complete: bool,
}

impl AskedRequests {
    pub(crate) fn new(config: &ClusterConfig) -> Self {
        Self {
            next: 0,
            pending: FxHashMap::default(),
            deadlines: BTreeSet::new(),
            max_pending: config.max_client_requests,
            max_collected_bytes: config.max_collected_bytes,
            max_nodes: config.max_nodes,
        }
    }

    /// Begins a request to nodes. Without any it ends at once, and is not to be published.
    pub(crate) fn begin(
        &mut self,
        channel: Channel,
        expected: FxHashSet<NodeId>,
        is_complete: bool,
        deadline: Duration,
        outputs: &mut Outputs,
    ) -> Result<u64, ClusterError> {
        if self.pending.len() >= self.max_pending {
            return Err(ClusterError::TooManyClientRequests { limit: self.max_pending });
        }
        self.next += 1;
        let request = self.next;
        let has_nodes = !expected.is_empty();
        let asked = AskedRequest { channel, deadline, expected, received: FxHashMap::default(), bytes: 0, is_complete };
        self.pending.insert(request, asked);
        self.deadlines.insert((deadline, request));
        if !has_nodes {
            self.end(request, outputs);
        }
        Ok(request)
    }

    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    pub(crate) fn is_pending(&self, request: u64) -> bool {
        self.pending.contains_key(&request)
    }

    /// Takes the broker's answer to the request's publishing. One that may have been published may still be answered.
    pub(crate) fn published(&mut self, request: u64, is_accepted: bool, outputs: &mut Outputs) {
        if !is_accepted && let Some(asked) = self.pending.get_mut(&request) {
            asked.is_complete = false;
            self.end(request, outputs);
        }
    }

    /// Takes the response with this number, from 1, of a node.
    pub(crate) fn response(&mut self, request: u64, node: NodeId, number: u64, payload: Bytes, outputs: &mut Outputs) {
        let Some(asked) = self.pending.get_mut(&request) else { return };
        if asked.received.len() >= self.max_nodes && !asked.received.contains_key(&node) {
            asked.is_complete = false;
            return;
        }
        let received = asked.received.entry(node).or_default();
        if number <= *received {
            return;
        }
        // Those in between are lost.
        asked.is_complete &= number == *received + 1;
        *received = number;
        asked.bytes = asked.bytes.saturating_add(payload.len() + RESPONSE_OVERHEAD);
        if asked.bytes > self.max_collected_bytes {
            asked.is_complete = false;
            return;
        }
        outputs.push_back(Output::ClientResponse { request: ClientRequestId(request), payload });
    }

    /// Takes what a node says of all its responses: their number, and whether it has asked all of its clients.
    pub(crate) fn done(
        &mut self,
        request: u64,
        node: NodeId,
        responses: u64,
        is_complete: bool,
        outputs: &mut Outputs,
    ) {
        let Some(asked) = self.pending.get_mut(&request) else { return };
        let received = asked.received.get(&node).copied().unwrap_or(0);
        asked.is_complete &= is_complete && received == responses;
        asked.expected.remove(&node);
        if asked.expected.is_empty() {
            self.end(request, outputs);
        }
    }

    /// A node is silent or gone: what its clients would have answered is unknown.
    pub(crate) fn node_lost(&mut self, node: NodeId, outputs: &mut Outputs) {
        let lost = self.pending.iter_mut().filter_map(|(request, asked)| {
            let was_expected = asked.expected.remove(&node);
            asked.is_complete &= !was_expected;
            (was_expected && asked.expected.is_empty()).then_some(*request)
        });
        for request in lost.collect::<Vec<_>>() {
            self.end(request, outputs);
        }
    }

    /// Gives up a request. Returns where the nodes are to be told that still work on it, if there are any.
    pub(crate) fn cancel(&mut self, request: u64) -> Option<Channel> {
        let cancelled = self.pending.remove(&request)?;
        self.deadlines.remove(&(cancelled.deadline, request));
        (!cancelled.expected.is_empty()).then_some(cancelled.channel)
    }

    fn end(&mut self, request: u64, outputs: &mut Outputs) {
        if let Some(ended) = self.pending.remove(&request) {
            self.deadlines.remove(&(ended.deadline, request));
            let is_complete = ended.is_complete && ended.expected.is_empty();
            outputs.push_back(Output::ClientRequestEnded { request: ClientRequestId(request), is_complete });
        }
    }

    pub(crate) fn tick(&mut self, now: Duration, outputs: &mut Outputs) {
        while let Some((deadline, request)) = self.deadlines.first().copied()
            && deadline <= now
        {
            self.end(request, outputs);
        }
    }

    pub(crate) fn next_timeout(&self) -> Option<Duration> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn node(id: u8) -> NodeId {
        NodeId::from_bytes([id; 16])
    }

    struct Fixture {
        requests: AskedRequests,
        outputs: Outputs,
    }

    impl Fixture {
        fn new(config: &ClusterConfig) -> Self {
            Self { requests: AskedRequests::new(config), outputs: Outputs::default() }
        }

        fn begin(&mut self, nodes: &[u8]) -> u64 {
            let expected = nodes.iter().map(|id| node(*id)).collect();
            self.requests.begin(Channel::AllNodes, expected, true, SECOND, &mut self.outputs).unwrap()
        }

        fn response(&mut self, request: u64, from: u8, number: u64, payload: &'static str) {
            self.requests.response(request, node(from), number, payload.into(), &mut self.outputs);
        }

        fn done(&mut self, request: u64, from: u8, responses: u64) {
            self.requests.done(request, node(from), responses, true, &mut self.outputs);
        }

        /// The responses, and whether they are complete if the request has ended.
        fn taken(&mut self) -> (Vec<Bytes>, Option<bool>) {
            let (mut responses, mut ended) = (Vec::new(), None);
            while let Some(output) = self.outputs.pop_front() {
                match output {
                    Output::ClientResponse { payload, .. } => responses.push(payload),
                    Output::ClientRequestEnded { is_complete, .. } => ended = Some(is_complete),
                    other => panic!("{other:?}"),
                }
            }
            (responses, ended)
        }
    }

    #[test]
    fn a_request_ends_when_all_nodes_are_done() {
        let mut fixture = Fixture::new(&ClusterConfig::new());
        let request = fixture.begin(&[1, 2]);
        fixture.response(request, 1, 1, "a");
        fixture.response(request, 1, 1, "a again");
        fixture.response(request, 1, 2, "b");
        fixture.done(request, 1, 2);
        assert_eq!(fixture.taken(), (vec!["a".into(), "b".into()], None));
        fixture.done(request, 2, 0);
        assert_eq!(fixture.taken(), (vec![], Some(true)));
        assert_eq!(fixture.requests.next_timeout(), None);
    }

    #[test]
    fn lost_responses_and_lost_nodes_make_it_incomplete() {
        let mut fixture = Fixture::new(&ClusterConfig::new());
        let first = fixture.begin(&[1]);
        fixture.response(first, 1, 2, "the second");
        fixture.done(first, 1, 2);
        assert_eq!(fixture.taken(), (vec!["the second".into()], Some(false)));
        let last = fixture.begin(&[1]);
        fixture.response(last, 1, 1, "the first");
        fixture.done(last, 1, 2);
        assert_eq!(fixture.taken(), (vec!["the first".into()], Some(false)));
        let dead = fixture.begin(&[1, 2]);
        fixture.requests.node_lost(node(2), &mut fixture.outputs);
        assert_eq!(fixture.taken(), (vec![], None));
        fixture.done(dead, 1, 0);
        assert_eq!(fixture.taken(), (vec![], Some(false)));
        let late = fixture.begin(&[1]);
        fixture.requests.tick(SECOND, &mut fixture.outputs);
        fixture.done(late, 1, 0);
        assert_eq!(fixture.taken(), (vec![], Some(false)));
    }

    #[test]
    fn requests_and_their_responses_are_limited() {
        let mut fixture = Fixture::new(&ClusterConfig::new().max_client_requests(1).max_collected_bytes(150));
        let request = fixture.begin(&[1]);
        let error = fixture.requests.begin(Channel::AllNodes, FxHashSet::default(), true, SECOND, &mut fixture.outputs);
        assert_eq!(error, Err(ClusterError::TooManyClientRequests { limit: 1 }));
        for number in 1..=3 {
            fixture.response(request, 1, number, "x");
        }
        fixture.done(request, 1, 3);
        assert_eq!(fixture.taken(), (vec!["x".into(), "x".into()], Some(false)));
    }

    #[test]
    fn a_request_is_cancelled_where_nodes_work_on_it() {
        let mut fixture = Fixture::new(&ClusterConfig::new());
        let request = fixture.begin(&[1]);
        assert_eq!(fixture.requests.cancel(request), Some(Channel::AllNodes));
        assert_eq!(fixture.requests.cancel(request), None);
        let to_nobody = fixture.begin(&[]);
        assert_eq!(fixture.taken(), (vec![], Some(true)));
        assert!(!fixture.requests.is_pending(to_nobody));
        let refused = fixture.begin(&[1]);
        fixture.requests.published(refused, false, &mut fixture.outputs);
        assert_eq!((fixture.taken(), fixture.requests.cancel(refused)), ((vec![], Some(false)), None));
    }
}
