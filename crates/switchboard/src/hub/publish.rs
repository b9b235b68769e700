//! Publishing.

use std::future::{IntoFuture, Ready, ready};

use super::{Hub, PublishError};
use crate::{conn::ConnId, transport::Frame};

/// A publish that happens when it is awaited.
///
/// The message was encoded once, for all receivers. Publishing is complete: a slow or failing
/// member changes nothing for the others.
///
/// # Cancel safety
///
/// Dropped before it is awaited, it has done nothing.
#[derive(Debug)]
#[must_use = "nothing is published before this is awaited"]
pub struct Publish {
    hub: Hub,
    topic: Box<str>,
    frame: Result<Frame, PublishError>,
    sender: Option<ConnId>,
    except_self: bool,
}

impl Publish {
    pub(super) fn new(hub: Hub, topic: &str, frame: Result<Frame, PublishError>, sender: Option<ConnId>) -> Self {
        Self { hub, topic: topic.into(), frame, sender, except_self: false }
    }

    /// Leaves out the connection that publishes. No effect on a publish by a [`Hub`].
    pub fn except_self(mut self) -> Self {
        self.except_self = true;
        self
    }
}

impl IntoFuture for Publish {
    type Output = Result<Published, PublishError>;
    type IntoFuture = Ready<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let except = if self.except_self { self.sender } else { None };
        ready(self.frame.map(|frame| {
            let count = self.hub.deliver(&self.topic, &frame, except);
            Published { matched: Matched::Exact(count) }
        }))
    }
}

/// What became of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    matched: Matched,
}

/// How many connections a publish reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Matched {
    /// So many.
    Exact(usize),
    /// About so many.
    Estimate(usize),
    /// The broker cannot tell.
    Unknown,
}

impl Published {
    /// How many connections the message was queued for.
    #[must_use]
    pub fn matched(&self) -> Matched {
        self.matched
    }

    /// The number of [`matched`](Self::matched), exact or estimated.
    #[must_use]
    pub fn count(&self) -> Option<usize> {
        match self.matched {
            Matched::Exact(n) | Matched::Estimate(n) => Some(n),
            Matched::Unknown => None,
        }
    }
}
