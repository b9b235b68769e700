//! The judge: what the application saw, compared with what is promised. It knows when links were disturbed, and nothing of
//! the nodes' state.
//!
//! | promise | broken if |
//! |---|---|
//! | order | a member hears a publisher's messages in another order, or one twice |
//! | nothing is lost silently | an accepted message is neither heard nor followed by a gap, within 2 s of a live link |
//! | nothing is lost without reason | an accepted message is not heard although no link was disturbed |
//! | refused is refused | a member hears a message whose publish was refused |
//! | every call ends | a join, publish, command, question or request to clients is not answered in time |
//! | no ghosts | a user counts as online more than 10 s after the last connection |
//! | users are found | a user that is connected counts as offline, although no link was disturbed for long |
//! | commands arrive or are reported | a command is reported as complete, and a connection has not got it, or got it twice |
//! | requests are answered or are reported | a request to clients is complete without the response of a connection, or has one twice |

mod disturbances;
mod loss;
mod users;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use switchboard_core::broker::{NodeId, TopicName};

use self::{disturbances::Disturbances, users::Users};
use super::{Report, adapter::RESPONSE_TIMEOUT, node::MemberNumber};
use crate::ClusterError;

/// A node and its life.
pub(super) type Publisher = (usize, u32);

/// How much longer than the adapter's patience a join or a publish may take.
const MARGIN: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(super) struct Judge {
    violations: Vec<String>,
    nodes: Vec<NodeHistory>,
    messages: BTreeMap<(Publisher, u64), MessageHistory>,
    members: BTreeMap<MemberNumber, MemberHistory>,
    users: Users,
    delivered: usize,
}

#[derive(Debug, Default)]
struct NodeHistory {
    disturbances: Disturbances,
    /// When messages to this node began or ceased to be lost one by one.
    lossy: Vec<Duration>,
    /// Life, start and end of each process.
    lives: Vec<(u32, NodeId, Duration, Option<Duration>)>,
    /// When it was last continued after a stop.
    resumed: Duration,
}

#[derive(Debug)]
struct MessageHistory {
    topic: TopicName,
    begun: Duration,
    ended: Option<(Duration, Result<(), ClusterError>)>,
}

#[derive(Debug)]
struct MemberHistory {
    topic: TopicName,
    on: Publisher,
    asked: Duration,
    joined: Option<Duration>,
    left: Option<Duration>,
    heard: BTreeMap<(Publisher, u64), Duration>,
    last_heard: BTreeMap<Publisher, u64>,
    gaps: Vec<Duration>,
}

impl Judge {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            violations: Vec::new(),
            nodes: (0..nodes).map(|_| NodeHistory::default()).collect(),
            messages: BTreeMap::new(),
            members: BTreeMap::new(),
            users: Users::default(),
            delivered: 0,
        }
    }

    pub(super) fn violation(&mut self, what: String) {
        // One broken promise often breaks many more.
        if self.violations.len() < 20 {
            self.violations.push(what);
        }
    }

    // Nodes.

    pub(super) fn started(&mut self, node: usize, life: u32, id: NodeId, now: Duration) {
        self.nodes[node].lives.push((life, id, now, None));
        self.nodes[node].resumed = now;
    }

    pub(super) fn died(&mut self, node: usize, now: Duration) {
        if let Some((life, _, _, end)) = self.nodes[node].lives.last_mut() {
            *end = Some(now);
            let on = (node, *life);
            for member in self.members.values_mut().filter(|member| member.on == on && member.left.is_none()) {
                member.left = Some(now);
            }
            self.users.died(on, now);
        }
    }

    pub(super) fn resumed(&mut self, node: usize, now: Duration) {
        self.nodes[node].resumed = now;
    }

    pub(super) fn disturbed(&mut self, node: usize, is_disturbed: bool, now: Duration) {
        self.nodes[node].disturbances.set(is_disturbed, now);
    }

    pub(super) fn lossy(&mut self, node: usize, now: Duration) {
        self.nodes[node].lossy.push(now);
    }

    /// Whether a node has run and was connected for a while.
    pub(super) fn is_awake(&self, node: usize, now: Duration) -> bool {
        self.nodes[node].resumed + Duration::from_secs(1) < now
    }

    fn died_at(&self, (node, life): Publisher) -> Option<Duration> {
        self.nodes[node].lives.iter().find(|(of, ..)| *of == life).and_then(|(.., end)| *end)
    }

    // Messages and members.

    pub(super) fn published(&mut self, by: Publisher, number: u64, topic: TopicName, now: Duration) {
        self.messages.insert((by, number), MessageHistory { topic, begun: now, ended: None });
    }

    pub(super) fn publish_ended(
        &mut self,
        by: Publisher,
        number: u64,
        result: Result<(), ClusterError>,
        now: Duration,
    ) {
        let Some(message) = self.messages.get_mut(&(by, number)) else { return };
        message.ended = Some((now, result));
        if result.is_err() {
            return;
        }
        let begun = message.begun;
        let own = self.members.values().filter(|member| member.left.is_none() && member.on == by);
        let own = own.filter(|member| member.topic == message.topic);
        let waits = own.filter(|member| member.joined.is_some_and(|joined| joined < begun));
        let missed = waits.filter(|member| !member.heard.contains_key(&(by, number))).count();
        // After 2 s it ends without, and the gap is told.
        if missed > 0 && now < begun + Duration::from_secs(2) {
            self.violation(format!(
                "publish {number} of {by:?} has ended before {missed} members of its node heard it"
            ));
        }
    }

    pub(super) fn asked_to_join(&mut self, on: Publisher, topic: TopicName, now: Duration) -> MemberNumber {
        let number = self.members.len() as MemberNumber;
        let member = MemberHistory {
            topic,
            on,
            asked: now,
            joined: None,
            left: None,
            heard: BTreeMap::new(),
            last_heard: BTreeMap::new(),
            gaps: Vec::new(),
        };
        self.members.insert(number, member);
        number
    }

    pub(super) fn joined(&mut self, number: MemberNumber, is_ok: bool, now: Duration) {
        let Some(member) = self.members.get_mut(&number) else { return };
        if is_ok {
            member.joined = Some(now);
        } else {
            member.left = Some(now);
        }
    }

    pub(super) fn left(&mut self, number: MemberNumber, now: Duration) {
        if let Some(member) = self.members.get_mut(&number) {
            member.left.get_or_insert(now);
        }
    }

    pub(super) fn gap(&mut self, number: MemberNumber, now: Duration) {
        if let Some(member) = self.members.get_mut(&number) {
            member.gaps.push(now);
        }
    }

    pub(super) fn heard(&mut self, number: MemberNumber, by: Publisher, message: u64, now: Duration) {
        self.delivered += 1;
        let Some(member) = self.members.get_mut(&number) else { return };
        member.heard.insert((by, message), now);
        let last = member.last_heard.insert(by, message);
        if last.is_some_and(|last| last >= message) {
            self.violation(format!("member {number} heard {message} of {by:?} after {last:?}"));
        }
        let refused = self.messages.get(&(by, message)).and_then(|message| message.ended);
        if refused.is_some_and(|(_, result)| result.is_err_and(|error| !error.is_unknown())) {
            self.violation(format!("member {number} heard {message} of {by:?}, which was refused"));
        }
    }

    // The end.

    pub(super) fn report(mut self, now: Duration, mut report: Report) -> Report {
        self.check_ends(now);
        self.users.check(&self.nodes, now, &mut self.violations);
        self.check_losses(now, &mut report);
        report.published = self.messages.len();
        report.delivered = self.delivered;
        report.told_after.sort_unstable();
        report.violations = self.violations;
        report
    }

    fn check_ends(&mut self, now: Duration) {
        let patience = RESPONSE_TIMEOUT + MARGIN;
        let is_late = |on: Publisher, begun: Duration| {
            let died = self.died_at(on);
            died.is_none() && begun.max(self.nodes[on.0].resumed) + patience < now
        };
        let joins = self.members.iter().filter(|(_, member)| member.joined.is_none() && member.left.is_none());
        let joins = joins.filter(|(_, member)| is_late(member.on, member.asked));
        let joins: Vec<_> = joins.map(|(number, _)| format!("the join of member {number} was not answered")).collect();
        let publishes = self.messages.iter().filter(|(_, message)| message.ended.is_none());
        let publishes = publishes.filter(|((by, _), message)| is_late(*by, message.begun));
        let publishes: Vec<_> =
            publishes.map(|((by, number), _)| format!("publish {number} of {by:?} was not answered")).collect();
        let refused: BTreeSet<_> = self
            .messages
            .iter()
            .filter(|(_, message)| {
                message.ended.is_some_and(|(_, result)| result.is_err_and(|error| !error.is_unknown()))
            })
            .map(|(id, _)| *id)
            .collect();
        let heard = self.members.values().flat_map(|member| member.heard.keys());
        let heard: Vec<_> = heard
            .filter(|id| refused.contains(*id))
            .map(|(by, number)| format!("publish {number} of {by:?} was refused, and a member heard it"))
            .collect();
        joins.into_iter().chain(publishes).chain(heard).for_each(|what| self.violation(what));
    }
}
