//! Limits of numbers, texts and lists.

use serde_json::{Map, Value};

/// Which way a set of values has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Fewer values are allowed.
    Narrowed,
    /// More are.
    Widened,
    /// Others are.
    Replaced,
}

/// Keywords of limits: the name, and whether a larger value allows more.
const BOUNDS: [(&str, bool); 8] = [
    ("minimum", false),
    ("maximum", true),
    ("exclusiveMinimum", false),
    ("exclusiveMaximum", true),
    ("minLength", false),
    ("maxLength", true),
    ("minItems", false),
    ("maxItems", true),
];

/// Keywords that are equal or not.
const EXACT: [&str; 3] = ["pattern", "multipleOf", "uniqueItems"];

/// The changes, each with a text.
pub(super) fn compare(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<(Way, String)> {
    let mut found = Vec::new();
    for (keyword, larger_is_wider) in BOUNDS {
        let way = match (bound(old, keyword), bound(new, keyword)) {
            (None, Some(_)) => Way::Narrowed,
            (Some(_), None) => Way::Widened,
            (Some(a), Some(b)) if a < b => {
                if larger_is_wider {
                    Way::Widened
                } else {
                    Way::Narrowed
                }
            }
            (Some(a), Some(b)) if a > b => {
                if larger_is_wider {
                    Way::Narrowed
                } else {
                    Way::Widened
                }
            }
            _ => continue,
        };
        found.push((way, text(keyword, bound(old, keyword), bound(new, keyword))));
    }
    for keyword in EXACT {
        let way = match (old.get(keyword), new.get(keyword)) {
            (None, Some(_)) => Way::Narrowed,
            (Some(_), None) => Way::Widened,
            (Some(a), Some(b)) if a != b => Way::Replaced,
            _ => continue,
        };
        found.push((way, text(keyword, old.get(keyword), new.get(keyword))));
    }
    let is_text = |schema: &Map<String, Value>| schema.get("type") == Some(&Value::from("string"));
    if is_text(old) && is_text(new) && old.get("format") != new.get("format") {
        let way = match (old.get("format"), new.get("format")) {
            (None, _) => Way::Narrowed,
            (_, None) => Way::Widened,
            _ => Way::Replaced,
        };
        found.push((way, text("format", old.get("format"), new.get("format"))));
    }
    found
}

/// A limit, or that of the format of an integer.
fn bound(schema: &Map<String, Value>, keyword: &str) -> Option<f64> {
    let given = schema.get(keyword).and_then(Value::as_f64);
    let Some(format) = schema.get("format").and_then(Value::as_str) else { return given };
    let (least, most) = match format {
        "int8" => (-128.0, 127.0),
        "int16" => (-32_768.0, 32_767.0),
        "int32" => (-2_147_483_648.0, 2_147_483_647.0),
        "int64" | "int" => (-9_223_372_036_854_775_808.0, 9_223_372_036_854_775_807.0),
        "uint8" => (0.0, 255.0),
        "uint16" => (0.0, 65_535.0),
        "uint32" => (0.0, 4_294_967_295.0),
        "uint64" | "uint" => (0.0, 18_446_744_073_709_551_615.0),
        _ => return given,
    };
    match keyword {
        "minimum" => Some(given.map_or(least, |given| given.max(least))),
        "maximum" => Some(given.map_or(most, |given| given.min(most))),
        _ => given,
    }
}

fn text<T: ToString>(keyword: &str, old: Option<T>, new: Option<T>) -> String {
    let show = |value: Option<T>| value.map_or_else(|| "none".to_owned(), |value| value.to_string());
    format!("{keyword} was {}, is {}", show(old), show(new))
}
