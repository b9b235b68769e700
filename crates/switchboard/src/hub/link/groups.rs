//! Which connections have got a publish to several topics.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::Group;
use crate::hub::publish::Audience;

/// How many publishes are remembered. The parts of one arrive within moments of each other.
const MAX_GROUPS: usize = 1024;

/// The latest publishes to several topics. A part that arrives when its group is forgotten reaches a connection that has
/// got another part a second time.
#[derive(Default)]
pub(super) struct Groups {
    audiences: FxHashMap<Group, Audience>,
    order: VecDeque<Group>,
}

impl Groups {
    /// Returns the audience that the parts of a publish share.
    pub(super) fn audience(&mut self, group: Group) -> Audience {
        if let Some(known) = self.audiences.get(&group) {
            return known.clone();
        }
        if self.order.len() == MAX_GROUPS
            && let Some(oldest) = self.order.pop_front()
        {
            self.audiences.remove(&oldest);
        }
        let audience = Audience::of_several_topics();
        self.order.push_back(group);
        self.audiences.insert(group, audience.clone());
        audience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_groups_are_remembered() {
        let mut groups = Groups::default();
        for _ in 0..2 * MAX_GROUPS {
            groups.audience(Group::new());
        }
        assert_eq!((groups.audiences.len(), groups.order.len()), (MAX_GROUPS, MAX_GROUPS));
    }
}
