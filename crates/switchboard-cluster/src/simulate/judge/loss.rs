//! Messages that a member did not hear.

use std::{collections::BTreeMap, time::Duration};

use super::{Judge, MemberHistory, MessageHistory, NodeHistory, Publisher};
use crate::simulate::Report;

/// How soon a loss is told on a link that is up.
const TOLD_WITHIN: Duration = Duration::from_secs(2);
/// The same if heartbeats are lost, too.
const TOLD_WITHIN_IF_LOSSY: Duration = Duration::from_secs(7);
/// What `ClusterConfig::join_margin` leaves open.
const JOIN_MARGIN: Duration = Duration::from_millis(250);
/// How long a message takes when nothing is disturbed.
const TRAVEL: Duration = Duration::from_millis(20);

impl NodeHistory {
    fn is_lossy(&self, from: Duration, until: Duration) -> bool {
        let before = self.lossy.iter().filter(|change| **change < from).count();
        before % 2 == 1 || self.lossy.iter().any(|change| (from..=until).contains(change))
    }
}

impl Judge {
    pub(super) fn check_losses(&mut self, now: Duration, report: &mut Report) {
        let mut broken = Vec::new();
        let mut accepted_in: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (id, message) in &self.messages {
            if let Some((accepted, Ok(()))) = message.ended {
                accepted_in.entry(&message.topic).or_default().push((message.begun, accepted, id, message));
            }
        }
        accepted_in.values_mut().for_each(|messages| messages.sort_unstable_by_key(|(begun, ..)| *begun));
        for (number, member) in &self.members {
            let Some(joined) = member.joined else { continue };
            let left = member.left.unwrap_or(Duration::MAX);
            let messages = accepted_in.get(&member.topic).map_or(&[][..], Vec::as_slice);
            let first = messages.partition_point(|(begun, ..)| *begun <= joined);
            let while_joined = messages[first..].iter().take_while(|(begun, ..)| *begun < left);
            for &(_, accepted, id, message) in while_joined {
                if accepted + TRAVEL >= left || member.heard.contains_key(id) {
                    continue;
                }
                let (by, message_number) = id;
                report.lost += 1;
                let what =
                    format!("message {message_number} of {by:?} was lost for member {number} on {:?}", member.on);
                if self.is_calm(member, message, accepted) {
                    broken.push(format!("{what}, although nothing was disturbed"));
                    continue;
                }
                let Some((up, deadline)) = self.deadline(member, *by, message, accepted) else { continue };
                if message.begun < joined + JOIN_MARGIN || deadline > now || deadline > left {
                    continue;
                }
                match member.gaps.iter().find(|gap| **gap >= message.begun) {
                    Some(gap) if *gap <= deadline && up == accepted => {
                        report.told_after.push(gap.saturating_sub(accepted));
                    }
                    Some(gap) if *gap <= deadline => {}
                    Some(gap) => broken.push(format!("{what}, and told at {gap:?}, after {deadline:?}")),
                    None => broken.push(format!("{what}, and never told")),
                }
            }
        }
        broken.into_iter().for_each(|what| self.violation(what));
    }

    fn is_calm(&self, member: &MemberHistory, message: &MessageHistory, accepted: Duration) -> bool {
        let node = &self.nodes[member.on.0];
        let until = accepted + TRAVEL;
        node.disturbances.is_calm(message.begun, until) && !node.is_lossy(message.begun, until)
    }

    /// Returns from when on both the member's and the publisher's links are up, and until when the loss must be told.
    fn deadline(
        &self,
        member: &MemberHistory,
        by: Publisher,
        message: &MessageHistory,
        accepted: Duration,
    ) -> Option<(Duration, Duration)> {
        let node = &self.nodes[member.on.0];
        let within = |start: Duration| {
            let is_lossy = node.is_lossy(message.begun, start + TOLD_WITHIN_IF_LOSSY);
            start + if is_lossy { TOLD_WITHIN_IF_LOSSY } else { TOLD_WITHIN }
        };
        let mut start = accepted;
        loop {
            let until = within(start);
            let ends = [member.on.0, by.0].map(|of| self.nodes[of].disturbances.touching(message.begun, until));
            let end = ends.into_iter().flatten().max().unwrap_or(start);
            if end == Duration::MAX {
                return None;
            }
            if end <= start {
                // A publisher that dies does not name its last message any more.
                let is_named = self.died_at(by).is_none_or(|died| died > until);
                return Some((start, until)).filter(|_| is_named);
            }
            start = end;
        }
    }
}
