//! Topics that clients subscribe to.

use std::collections::BTreeSet;

use switchboard_core::contract::TopicContract;

use super::{
    api::section,
    types::{key, text},
};

/// Names and templates of names, each with the types of its messages.
pub(super) fn types(topics: &[TopicContract]) -> String {
    let entries: Vec<String> = topics
        .iter()
        .map(|topic| {
            // A name that two keys match has the types that both of them have, and the compiler wants those of the
            // narrower key among those of the wider one.
            let narrower = topics.iter().filter(|other| covers(&topic.pattern, &other.pattern));
            let types: BTreeSet<&String> = narrower.flat_map(|topic| &topic.messages).collect();
            let types: Vec<String> = types.into_iter().map(|one| text(one)).collect();
            let types = if types.is_empty() { "never".to_owned() } else { types.join(" | ") };
            format!("    {}: {types};\n", topic_key(&topic.pattern))
        })
        .collect();
    section("topics", &entries)
}

/// The same for the running program.
pub(super) fn values(topics: &[TopicContract]) -> String {
    let entries: String = topics
        .iter()
        .map(|topic| {
            let types: Vec<String> = topic.messages.iter().map(|one| text(one)).collect();
            format!("    {}: [{}],\n", key(&topic.pattern), types.join(", "))
        })
        .collect();
    if entries.is_empty() { "  topics: {},\n".to_owned() } else { format!("  topics: {{\n{entries}  }},\n") }
}

/// The texts around the placeholder, `{name}` or `*`.
fn parts(pattern: &str) -> (&str, Option<&str>) {
    if let Some(start) = pattern.find('{')
        && let Some(end) = pattern.rfind('}')
        && start < end
    {
        return (&pattern[..start], Some(&pattern[end + 1..]));
    }
    match pattern.split_once('*') {
        Some((start, end)) => (start, Some(end)),
        None => (pattern, None),
    }
}

fn topic_key(pattern: &str) -> String {
    let (start, end) = parts(pattern);
    let Some(end) = end else { return key(pattern) };
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('`', "\\`").replace("${", "\\${");
    format!("[topic: `{}${{string}}{}`]", escaped(start), escaped(end))
}

/// Whether every name of the second pattern is one of the first.
fn covers(wide: &str, narrow: &str) -> bool {
    if wide == narrow {
        return true;
    }
    let ((start, end), (other, rest)) = (parts(wide), parts(narrow));
    let Some(end) = end else { return false };
    match rest {
        // A name.
        None => other.len() >= start.len() + end.len() && other.starts_with(start) && other.ends_with(end),
        Some(rest) => other.starts_with(start) && rest.ends_with(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_templates() {
        assert_eq!(topic_key("lobby"), "lobby");
        assert_eq!(topic_key("room:1"), "\"room:1\"");
        assert_eq!(topic_key("room:{id}:log"), "[topic: `room:${string}:log`]");
        assert_eq!(topic_key("room:*"), "[topic: `room:${string}`]");
    }

    #[test]
    fn wider_patterns_cover_narrower_ones() {
        assert!(covers("room:{id}", "room:1"));
        assert!(covers("room:{id}", "room:{id}:log"));
        assert!(covers("{any}", "room:{id}"));
        assert!(!covers("room:{id}:log", "room:{id}"));
        assert!(!covers("room:1", "room:{id}"));
        assert!(!covers("room:{id}:log", "room:log"));
    }
}
