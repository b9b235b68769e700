//! Topics.

mod places;
mod room;
mod topic;

pub(crate) use self::topic::Topic;
use self::topic::{Reached, Walk};
use crate::transport::Frame;

/// What a member lets through is not modelled.
pub(crate) type Filter = ();

impl Topic {
    /// As is done where there are very many members.
    pub(crate) fn push_in_portions(&self, frame: &Frame) {
        let walk = Walk::begin(self);
        let (mut next, mut reached) = (Some(0), Reached::default());
        while let Some(start) = next {
            next = walk.push_portion(frame, None, u64::MAX, start, &mut reached);
        }
    }
}
