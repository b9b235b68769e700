//! Broken promises.

use std::fmt;

/// The promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// A message arrives at most once.
    Duplicate,
    /// Messages of a publisher arrive in a topic in the order in which they were sent.
    Order,
    /// All subscribers of a topic see one order, where the broker has one.
    OneOrder,
    /// An accepted message arrives, or its loss is told in time.
    Loss,
    /// What arrives was sent, and not refused.
    Refused,
    /// Nothing arrives after the end of a subscription.
    AfterTheEnd,
    /// Each request ends in a reply or an error.
    Unanswered,
    /// Publishing works again after a fault.
    Resumption,
    /// A user without connections is offline, one with connections is online.
    Presence,
    /// Commands for users of other nodes reach them.
    Command,
    /// Everything that the checker itself waits for happens.
    Hang,
}

/// A broken promise, and how it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The promise.
    pub rule: Rule,
    /// What was seen, with times, clients and messages as they stand in the history.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.text)
    }
}

impl super::Verdict {
    pub(super) fn report(&mut self, rule: Rule, text: String) {
        self.findings.push(Finding { rule, text });
    }
}
