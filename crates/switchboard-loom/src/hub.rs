//! Topics.

mod topic;

pub(crate) use self::topic::Topic;

/// What a member lets through is not modelled.
pub(crate) type Filter = ();
