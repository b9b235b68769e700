//! Which rules hold for which topics.

use std::{any::Any, sync::Arc};

use super::{TopicError, TopicOptions, filter::AnyMessageRef};
use crate::conn::Mark;

/// The rules for one pattern.
pub(crate) struct Rule {
    pattern: Box<str>,
    pub(super) options: TopicOptions,
}

impl Rule {
    fn matches(&self, topic: &str) -> bool {
        match self.pattern.strip_suffix('*') {
            Some(prefix) => topic.starts_with(prefix),
            None => topic == &*self.pattern,
        }
    }

    pub(super) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Whether there may be a topic of this name.
    pub(super) fn allows_name(&self, topic: &str) -> bool {
        self.options.names.as_ref().is_none_or(|rule| rule(topic))
    }

    pub(super) fn check_name(&self, topic: &str) -> Result<(), TopicError> {
        if self.allows_name(topic) { Ok(()) } else { Err(TopicError::not_allowed(topic, &self.pattern)) }
    }

    /// Whether messages of this type are looked at.
    pub(super) fn filters<M: Any>(&self) -> bool {
        self.options.filters.iter().any(super::Filter::is_of::<M>)
    }

    /// What may become of a message while it waits, if anything.
    pub(super) fn mark(&self, topic: &str, message: AnyMessageRef<'_>) -> Option<Arc<Mark>> {
        let key = self.options.keys.iter().find_map(|key| key.of(message));
        let drop_oldest = self.options.slow_consumer == super::SlowConsumer::DropOldest;
        (key.is_some() || drop_oldest).then(|| Arc::new(Mark::new(topic, key, drop_oldest)))
    }
}

/// The rules of a hub, in the order in which they were given.
#[derive(Default)]
pub(crate) struct Rules(Box<[Arc<Rule>]>);

impl Rules {
    /// # Errors
    ///
    /// The first pattern that is none or can never match.
    pub(super) fn new(patterns: Vec<(Box<str>, TopicOptions)>) -> Result<Self, String> {
        let mut rules: Vec<Arc<Rule>> = Vec::with_capacity(patterns.len());
        for (pattern, options) in patterns {
            let prefix = pattern.strip_suffix('*').unwrap_or(&pattern);
            if !(pattern.len() > prefix.len() && prefix.is_empty()) && switchboard_core::check_topic(prefix).is_err() {
                return Err(format!(
                    "`{pattern}` is not a pattern of topics: write a name, or the beginning of names and `*`"
                ));
            }
            if let Some(earlier) = rules.iter().find(|rule| rule.covers(&pattern)) {
                return Err(format!(
                    "the rules for `{pattern}` would never be used, since `{}` stands before: put it behind",
                    earlier.pattern
                ));
            }
            rules.push(Arc::new(Rule { pattern, options }));
        }
        Ok(Self(rules.into()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rules for a topic: those of the first pattern that matches.
    pub(super) fn find(&self, topic: &str) -> Option<&Arc<Rule>> {
        self.0.iter().find(|rule| rule.matches(topic))
    }
}

impl Rule {
    /// Whether all that the other pattern matches is matched by this.
    fn covers(&self, pattern: &str) -> bool {
        match self.pattern.strip_suffix('*') {
            Some(prefix) => pattern.strip_suffix('*').unwrap_or(pattern).starts_with(prefix),
            None => *self.pattern == *pattern,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(patterns: &[&str]) -> Result<Rules, String> {
        Rules::new(patterns.iter().map(|pattern| ((*pattern).into(), TopicOptions::new())).collect())
    }

    #[test]
    fn the_first_pattern_that_matches_counts() {
        let rules = rules(&["room:vip", "room:*", "*"]).unwrap();
        let pattern = |topic: &str| rules.find(topic).map(|rule| rule.pattern().to_owned()).unwrap();
        assert_eq!(["room:vip", "room:1", "room:", "roo"].map(pattern), ["room:vip", "room:*", "room:*", "*"]);
        assert!(Rules::default().find("a").is_none());
    }

    #[test]
    fn patterns_that_are_none_or_never_match_are_refused() {
        for bad in ["", "a*b", "a b*", "a**", ">"] {
            assert!(rules(&[bad]).is_err_and(|error| error.contains("not a pattern")), "{bad}");
        }
        for bad in [["room:*", "room:vip"], ["*", "a*"], ["a*", "a*"], ["a", "a"]] {
            assert!(rules(&bad).is_err_and(|error| error.contains("never be used")), "{bad:?}");
        }
    }
}
