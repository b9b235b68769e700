use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::json::visits;

#[track_caller]
fn same(texts: &[&str]) {
    for text in texts {
        assert_eq!(fingerprint(text), fingerprint(texts[0]), "{text} and {}", texts[0]);
    }
}

#[test]
fn numbers_are_equal_in_any_notation() {
    same(&["1", "1.0", "1e0", "10e-1", "0.1E+1", "1.000"]);
    same(&["0", "-0", "0.0", "-0e5", "0e99999999999999999999999999999999999999"]);
    same(&["-150", "-1.5e2", "-15e1", "-150.0"]);
    same(&["1e400", "10e399", "0.01e402"]);
    same(&["340282366920938463463374607431768211456", "340282366920938463463374607431768211456.0"]);
    let numbers = ["1", "-1", "10", "0.1", "1e400", "1e401", "-1e400", "340282366920938463463374607431768211456"];
    let more = ["340282366920938463463374607431768211457", "1e1000000000000000000000000000000000000000"];
    let all: std::collections::HashSet<_> = numbers.iter().chain(&more).map(|text| fingerprint(text)).collect();
    assert_eq!(all.len(), numbers.len() + more.len());
}

#[test]
fn key_order_escapes_and_white_space_do_not_count() {
    same(&[r#"{"a":1,"b":[2,{"c":null,"d":"é"}]}"#, r#" { "b" : [2.0, {"d":"\u00e9", "\u0063":null}] , "a":1 } "#]);
    let long = "x".repeat(100);
    same(&[
        &format!(r#"{{"a":"{long}","b":{{"y":1,"z":"{long}"}}}}"#),
        &format!(r#"{{"b":{{"z":"{long}","y":1}},"a":"{long}"}}"#),
    ]);
}

#[test]
fn different_values_differ() {
    let values = [
        "null",
        "true",
        "false",
        "\"\"",
        "\"null\"",
        "\"1\"",
        "[]",
        "{}",
        "[[]]",
        "[{}]",
        "[null]",
        "[[],[]]",
        "[[[]]]",
        r#"{"a":1}"#,
        r#"{"a":"1"}"#,
        r#"{"a":[1]}"#,
        r#"["a",1]"#,
        r#"{"a":1,"b":2}"#,
        r#"{"a":2,"b":1}"#,
        r#"{"a":{"b":1}}"#,
        "[1,2]",
        "[2,1]",
        "[12]",
        r#"["ab","c"]"#,
        r#"["a","bc"]"#,
        r#"{"a":1,"a":2}"#,
        r#"{"a":2,"a":1}"#,
        r#""\ud800""#,
        r#""\udfff""#,
    ];
    let all: std::collections::HashSet<_> = values.iter().map(|text| fingerprint(text)).collect();
    assert_eq!(all.len(), values.len());
}

#[test]
fn text_that_is_not_json_has_a_fingerprint() {
    for text in ["", "{", "]", "{\"a\"", "x", "[1", "{]", "{\"a\":1]", "1 2", "\"", "{1:2}"] {
        let _ = fingerprint(text);
    }
    assert_ne!(fingerprint("[1"), fingerprint("[2"));
}

#[test]
fn fingerprints_are_the_same_in_every_build() {
    assert_eq!(format!("{:032x}", fingerprint(r#"{"b":[1.5,true,null],"a":"é"}"#)), "3ce840f933fb294dd8f0c09ae41d1622");
    let long = format!(r#"{{"text":"{}","n":-0.25e3}}"#, "x".repeat(100));
    assert_eq!(format!("{:032x}", fingerprint(&long)), "e9cad929bbe383f06b2b9ada3c3093e5");
}

/// The cost: bytes read, and bytes that the canonical form takes at its largest.
fn cost(json: &str) -> usize {
    visits::take();
    let mut canonical = Canonical::default();
    assert_eq!(canonical.write(json), Some(()), "{} …", &json[..json.len().min(40)]);
    visits::take() + canonical.out.capacity() + canonical.members.capacity() * size_of::<Member>()
}

#[test]
fn the_cost_is_linear_at_any_depth() {
    type Shape = fn(usize) -> String;
    let shapes: [Shape; 6] = [
        |n| format!("{}1{}", "[".repeat(n), "]".repeat(n)),
        |n| format!("{}1{}", r#"{"a":"#.repeat(n), "}".repeat(n)),
        |n| format!("{}1{}", r#"{"b":1,"a":"#.repeat(n), "}".repeat(n)),
        |n| format!("[{}1]", "1e5,".repeat(n)),
        |n| format!("[{}1]", "{},".repeat(n)),
        |n| format!("{{{}\"z\":1}}", (0..n).rev().map(|i| format!("\"key{i}\":{i},")).collect::<String>()),
    ];
    for (i, shape) in shapes.iter().enumerate() {
        let (one, two) = (cost(&shape(20_000)), cost(&shape(40_000)));
        assert!(two <= one * 5 / 2, "shape {i}: {one} → {two}");
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has only finite numbers", |n| n.is_finite()).prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map("[a-z\"é]{0,12}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The same value, its keys in reverse order, its text with white space.
fn rewritten(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[ {} ]", items.iter().map(rewritten).collect::<Vec<_>>().join(" , ")),
        Value::Object(map) => {
            let mut members: Vec<_> = map
                .iter()
                .map(|(key, value)| format!("{} : {}", Value::from(key.as_str()), rewritten(value)))
                .collect();
            members.sort();
            members.reverse();
            format!("{{ {} }}", members.join(" , "))
        }
        other => other.to_string(),
    }
}

proptest! {
    #[test]
    fn a_value_written_differently_has_the_same_fingerprint(value in values(), other in values()) {
        let print = fingerprint(&value.to_string());
        prop_assert_eq!(print, fingerprint(&rewritten(&value)));
        prop_assert_eq!(print == fingerprint(&other.to_string()), value == other);
    }

    #[test]
    fn any_text_has_a_fingerprint(text in "[\\[\\]{}\"\\\\,: 0-9etfn.é-]{0,40}") {
        let _ = fingerprint(&text);
    }
}
