//! Topics.

mod topic;

pub(crate) use self::topic::Topic;
