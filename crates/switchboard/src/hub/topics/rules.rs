//! The rules of topics, by pattern.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::{
    hub::{TopicOptions, publish::Outgoing},
    outbox::DiscardPolicy,
};

/// The rules for one pattern.
pub(crate) struct TopicRule {
    id: RuleId,
    pattern: Box<str>,
    pub(crate) options: TopicOptions,
    /// Published message types without a filter or conflation key, which were warned of.
    unexpected: Mutex<Vec<Box<str>>>,
}

/// The number of message types that one rule warns of.
const MAX_UNEXPECTED: usize = 16;

/// Identifies a rule within its hub: the index of its declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RuleId(usize);

impl TopicRule {
    pub(crate) fn id(&self) -> RuleId {
        self.id
    }

    pub(crate) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Returns whether a topic may have this name.
    pub(crate) fn allows_name(&self, topic: &str) -> bool {
        self.options.names.as_ref().is_none_or(|rule| rule(topic))
    }

    /// Returns whether a filter applies to messages with this type tag.
    pub(crate) fn filters(&self, message_type: &str) -> bool {
        self.options.filters.iter().any(|filter| filter.is_of(message_type))
    }

    /// Warns, once for each type, of a message that the rule does not declare, or that no filter or
    /// conflation key applies to, although there are some: usually a mistake.
    pub(crate) fn warn_if_unexpected(&self, message_type: &str) -> bool {
        let TopicOptions { filters, keys, carried, .. } = &self.options;
        let is_declared = carried.iter().any(|carried| carried.message_type == message_type);
        let is_about =
            filters.iter().any(|filter| filter.is_of(message_type)) || keys.iter().any(|key| key.is_of(message_type));
        let has_rules = !(filters.is_empty() && keys.is_empty() && carried.is_empty());
        if is_declared || is_about || !has_rules {
            return false;
        }
        let mut unexpected = self.unexpected.lock();
        if unexpected.len() >= MAX_UNEXPECTED || unexpected.iter().any(|known| **known == *message_type) {
            return false;
        }
        unexpected.push(message_type.into());
        drop(unexpected);
        tracing::warn!(
            message_type,
            pattern = &*self.pattern,
            "the topic's options know other message types: declare this one with `carries`, a filter or a conflation key"
        );
        true
    }

    /// Returns the key of a message of which only the latest matters to a slow consumer.
    pub(crate) fn conflation_key(&self, message: &Outgoing) -> Option<Box<str>> {
        self.options.keys.iter().find_map(|key| key.of(message))
    }

    /// Returns how a queued message may be replaced or dropped, if at all. A message that comes from
    /// the bus has its key with it.
    pub(crate) fn discard_policy(
        &self,
        topic: &str,
        message: &Outgoing,
        key: Option<Box<str>>,
    ) -> Option<Arc<DiscardPolicy>> {
        let key = key.or_else(|| self.conflation_key(message));
        let drop_oldest = self.options.slow_consumer == super::SlowConsumer::DropOldest;
        (key.is_some() || drop_oldest).then(|| Arc::new(DiscardPolicy::new(topic, key, drop_oldest)))
    }
}

/// The rules of a hub, sorted by prefix, so that a lookup takes about as long with a thousand
/// patterns as with ten.
///
/// No pattern is declared after one that covers it. So of the patterns that match a topic, the
/// longest is the first declared, and a whole name precedes all of them.
#[derive(Default)]
pub(crate) struct TopicRules {
    sorted: Box<[Sorted]>,
    look_at_values: bool,
}

struct Sorted {
    rule: Arc<TopicRule>,
    /// The longest pattern with a `*` that covers this one.
    covered_by: Option<usize>,
}

impl TopicRules {
    /// # Errors
    ///
    /// The first pattern that is invalid or can never apply.
    pub(crate) fn new(patterns: Vec<(Box<str>, TopicOptions)>) -> Result<Self, String> {
        let mut rules: Vec<Arc<TopicRule>> = Vec::with_capacity(patterns.len());
        for (id, (pattern, options)) in patterns.into_iter().enumerate() {
            let prefix = pattern.strip_suffix('*').unwrap_or(&pattern);
            if !(pattern.len() > prefix.len() && prefix.is_empty())
                && let Err(invalid) = switchboard_core::check_topic(prefix)
            {
                return Err(format!(
                    "`{pattern}` is not a pattern of topics ({invalid}): use a topic name, or a prefix followed by `*`"
                ));
            }
            rules.push(Arc::new(TopicRule { id: RuleId(id), pattern, options, unexpected: Mutex::default() }));
        }
        rules.sort_by(|one, other| one.order().cmp(&other.order()));
        let mut sorted: Vec<Sorted> = Vec::with_capacity(rules.len());
        for rule in rules {
            let mut above = sorted.len().checked_sub(1);
            while let Some(index) = above
                && !sorted[index].rule.covers(&rule.pattern)
            {
                above = sorted[index].covered_by;
            }
            sorted.push(Sorted { rule, covered_by: above });
        }
        let look_at_values = sorted.iter().any(|Sorted { rule, .. }| {
            let TopicOptions { filters, keys, .. } = &rule.options;
            !filters.is_empty() || !keys.is_empty()
        });
        let rules = Self { sorted: sorted.into(), look_at_values };
        match rules.never_used() {
            Some((rule, earlier)) if rule.pattern == earlier.pattern => {
                Err(format!("there are two rules for `{}`: write one `TopicOptions` with both", rule.pattern))
            }
            Some((rule, earlier)) => Err(format!(
                "the rules for `{}` would never be used: declare them before those for `{}`, which match all of their topics",
                rule.pattern, earlier.pattern
            )),
            None => Ok(rules),
        }
    }

    /// Returns the first rule declared after one that covers it, and that rule.
    fn never_used(&self) -> Option<(&TopicRule, &TopicRule)> {
        let covered = self.sorted.iter().flat_map(|Sorted { rule, covered_by }| {
            self.and_above(*covered_by).map(move |earlier| (&**rule, &**earlier))
        });
        covered
            .filter(|(rule, earlier)| earlier.id.0 < rule.id.0)
            .min_by_key(|(rule, earlier)| (rule.id.0, earlier.id.0))
    }

    /// Returns a rule and those that cover it, from the longest pattern to the shortest.
    fn and_above(&self, index: Option<usize>) -> impl Iterator<Item = &Arc<TopicRule>> {
        let mut next = index;
        std::iter::from_fn(move || {
            let Sorted { rule, covered_by } = self.sorted.get(next?)?;
            next = *covered_by;
            Some(rule)
        })
    }

    /// Returns whether any rule inspects the value of messages.
    pub(crate) fn look_at_values(&self) -> bool {
        self.look_at_values
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &TopicRule> {
        self.sorted.iter().map(|sorted| &*sorted.rule)
    }

    /// Returns the rule for a topic: that of the first pattern that matches.
    pub(crate) fn find(&self, topic: &str) -> Option<&Arc<TopicRule>> {
        if self.sorted.is_empty() {
            return None;
        }
        // Every pattern that covers the topic is the last one not sorted after it, or covers that
        // one.
        let behind = self.sorted.partition_point(|sorted| sorted.rule.order() <= (topic, true));
        self.and_above(behind.checked_sub(1)).find(|rule| rule.covers(topic))
    }
}

impl TopicRule {
    /// Returns the sort key: the name or prefix, and whether it is a whole name.
    fn order(&self) -> (&str, bool) {
        match self.pattern.strip_suffix('*') {
            Some(prefix) => (prefix, false),
            None => (&self.pattern, true),
        }
    }

    /// Returns whether this pattern matches every topic that the other one does.
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
    use crate::ws_message;

    fn rules(patterns: &[&str]) -> Result<TopicRules, String> {
        TopicRules::new(patterns.iter().map(|pattern| ((*pattern).into(), TopicOptions::new())).collect())
    }

    #[test]
    fn the_first_pattern_that_matches_counts() {
        let rules = rules(&["room:vip", "room:*", "*"]).unwrap();
        let pattern = |topic: &str| rules.find(topic).map(|rule| rule.pattern().to_owned()).unwrap();
        assert_eq!(["room:vip", "room:1", "room:", "roo"].map(pattern), ["room:vip", "room:*", "room:*", "*"]);
        assert!(TopicRules::default().find("a").is_none());
    }

    /// Compares the lookup to a linear search.
    #[test]
    fn the_lookup_agrees_with_a_linear_search() {
        let mut patterns: Vec<String> = (0..300).map(|n| format!("room:{n}")).collect();
        patterns.extend((0..300).map(|n| format!("room:{n}*")).rev());
        patterns.extend(["room:*", "ro", "r*", "user:*"].map(String::from));
        let patterns: Vec<&str> = patterns.iter().map(|pattern| &**pattern).collect();
        let rules = rules(&patterns).unwrap();
        let matches = |pattern: &str, topic: &str| match pattern.strip_suffix('*') {
            Some(prefix) => topic.starts_with(prefix),
            None => topic == pattern,
        };
        let more =
            ["room:", "room:x", "ro", "roo", "r", "q", "user", "user:1", "z", "room:299x", "room:3", "room:30:4"];
        for topic in patterns.iter().copied().filter(|pattern| !pattern.contains('*')).chain(more) {
            let first = patterns.iter().copied().find(|pattern| matches(pattern, topic));
            assert_eq!(rules.find(topic).map(|rule| rule.pattern()), first, "{topic}");
        }
    }

    #[test]
    fn a_message_that_no_filter_applies_to_is_warned_of_once() {
        #[ws_message("PRICE", crate = crate)]
        struct Price {}
        let options = TopicOptions::new().filter(|_, _: &Price| true);
        let rules = TopicRules::new(vec![("a".into(), options), ("b".into(), TopicOptions::new())]).unwrap();
        let [a, b] = ["a", "b"].map(|topic| rules.find(topic).unwrap());
        assert_eq!(["PRICE", "TICK", "TICK", "OTHER"].map(|tag| a.warn_if_unexpected(tag)), [false, true, false, true]);
        assert!(!b.warn_if_unexpected("TICK"));
        let all: usize = (0..100).map(|n| usize::from(a.warn_if_unexpected(&n.to_string()))).sum();
        assert_eq!(all, MAX_UNEXPECTED - 2);
    }

    #[test]
    fn patterns_that_are_none_or_never_match_are_refused() {
        for bad in ["", "a*b", "a b*", "a**", ">"] {
            assert!(rules(&[bad]).is_err_and(|error| error.contains("not a pattern")), "{bad}");
        }
        assert!(rules(&["a b*"]).is_err_and(|error| error.contains("space")));
        for bad in [["room:*", "room:vip"], ["*", "a*"]] {
            assert!(rules(&bad).is_err_and(|error| error.contains("never be used")), "{bad:?}");
        }
        for bad in [["a*", "a*"], ["a", "a"]] {
            assert!(rules(&bad).is_err_and(|error| error.contains("two rules")), "{bad:?}");
        }
    }
}
