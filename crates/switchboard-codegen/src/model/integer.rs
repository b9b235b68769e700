//! Which integers a JavaScript number holds.

use serde_json::{Map, Value};

/// The largest integer up to which all are exact: 2^53 − 1.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

/// The keyword by which an application says that a 64-bit integer is a number nevertheless.
const DECLARED: &str = "x-safe-integer";

/// Whether the schema, or what is in it, is declared to be safe.
pub(super) fn is_declared(schema: &Value) -> bool {
    schema.get(DECLARED) == Some(&Value::Bool(true))
}

/// Whether all values of an integer's schema are exact in JavaScript.
pub(super) fn is_safe(schema: &Map<String, Value>) -> bool {
    let format = schema.get("format").and_then(Value::as_str).unwrap_or("int64");
    if matches!(format, "int8" | "uint8" | "int16" | "uint16" | "int32" | "uint32") {
        return true;
    }
    let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
    let unsigned = format.starts_with('u').then_some(0.0);
    let least = bound("minimum").or(bound("exclusiveMinimum")).or(unsigned);
    let most = bound("maximum").or(bound("exclusiveMaximum"));
    least.is_some_and(|least| least >= -MAX_SAFE) && most.is_some_and(|most| most <= MAX_SAFE)
}

/// What to do about one that is not.
pub(super) fn fixes(schema: &Map<String, Value>) -> String {
    let format = schema.get("format").and_then(Value::as_str);
    let rust = match format {
        Some("uint64") => "`u64`",
        Some("int64") => "`i64`",
        Some("uint") => "`usize`",
        Some("int") => "`isize`",
        Some("uint128") => "`u128`",
        Some("int128") => "`i128`",
        _ => "an integer without bounds",
    };
    let range = match format {
        Some("int64" | "int" | "int128") | None => "range(min = -9007199254740991, max = 9007199254740991)",
        _ => "range(max = 9007199254740991)",
    };
    format!(
        "{rust} does not fit into a number of JavaScript, which is exact up to 2^53 - 1. Bound it with \
         `#[validate({range})]`; or send it as a string with `#[ws(string)]`; or declare that it stays below with \
         `#[ws(safe)]`"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn safe(schema: &Value) -> bool {
        is_safe(schema.as_object().expect("an object"))
    }

    #[test]
    fn a_range_proves_it() {
        assert!(safe(&json!({ "format": "uint32", "minimum": 0 })));
        assert!(safe(&json!({ "format": "uint64", "minimum": 0, "maximum": 9_007_199_254_740_991_u64 })));
        assert!(safe(&json!({ "format": "int64", "minimum": -5, "maximum": 5 })));
        assert!(is_declared(&json!({ "format": "uint", "x-safe-integer": true })));
        assert!(!safe(&json!({ "format": "uint64", "minimum": 0 })));
        assert!(!safe(&json!({ "format": "uint", "minimum": 0 })));
        assert!(!safe(&json!({ "format": "int64", "maximum": 5 })));
        assert!(!safe(&json!({ "format": "uint128", "minimum": 0, "maximum": 9_007_199_254_740_992_u64 })));
        assert!(!safe(&json!({})));
    }
}
