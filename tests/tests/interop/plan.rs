//! What a client does, and what it must see of it.

use serde_json::{Value, json};

/// Whole messages of every size of header, and with every byte; a message in fragments with a ping before each; closing
/// with codes of each range; a message after a connection was lost.
pub(super) fn plan() -> Value {
    let all_bytes: Vec<u8> = (0..=255).collect();
    json!({
        "messages": [
            { "text": "", "times": 1 },
            { "text": "Grüße, 世界 🦀\u{0}", "times": 1 },
            { "text": "a", "times": 125 },
            { "text": "b", "times": 126 },
            { "text": "c", "times": 65_535 },
            { "text": "d", "times": 65_536 },
            { "text": "🦀", "times": 262_144 },
            { "bytes": [0], "times": 0 },
            { "bytes": all_bytes, "times": 1 },
            { "bytes": all_bytes, "times": 257 },
            { "bytes": all_bytes, "times": 4096 },
        ],
        "fragments": ["Eins, ", "zwei — ", "drei ✓"],
        "pings": ["", "between", "p".repeat(125)],
        "closes": [
            { "code": 1000, "reason": "" },
            { "code": 3000, "reason": "moved on" },
            { "code": 4999, "reason": "Schluß ✓" },
        ],
        "again": "Back again?",
    })
}

/// Asserts that a client saw what it must see.
///
/// # Panics
///
/// If not, with the part that differs.
#[track_caller]
pub(super) fn assert_seen(seen: &Value, fragments: Fragments) {
    let plan = plan();
    let mut expected = json!({
        "echoes": each(&plan["messages"], echo),
        "closes": each(&plan["closes"], |close| json!({ "code": close["code"], "clean": true })),
        "again": plan["again"],
    });
    if let Fragments::Seen = fragments {
        let fragments = each(&plan["fragments"], Value::clone);
        expected["fragmented"] = fragments.iter().filter_map(Value::as_str).collect::<String>().into();
        expected["pongs"] = plan["pings"].clone();
    }
    for (key, expected) in expected.as_object().expect("an object") {
        assert_eq!(seen[key], *expected, "{key}");
    }
    assert_eq!(*seen, expected);
}

/// Whether a client can send fragments and pings.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fragments {
    Seen,
    NoInterface,
}

fn echo(message: &Value) -> Value {
    let once = match &message["text"] {
        Value::String(text) => text.len(),
        _ => message["bytes"].as_array().map_or(0, Vec::len),
    };
    let bytes = message["times"].as_u64().map(|times| times * once as u64);
    let kind = if message["text"].is_string() { "text" } else { "binary" };
    json!({ "kind": kind, "bytes": bytes, "same": true })
}

fn each(list: &Value, see: impl Fn(&Value) -> Value) -> Vec<Value> {
    list.as_array().into_iter().flatten().map(see).collect()
}
