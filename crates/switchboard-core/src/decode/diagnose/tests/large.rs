//! Numbers that are too large for an `f32`, where serde decodes from a buffer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Event, Message, MessageMeta,
    decode::{RawPayload, decode},
    envelope::extended_meta_from_json,
};

#[derive(Serialize, Deserialize)]
struct Sizes {
    single: f32,
    #[serde(default)]
    double: f64,
    #[serde(default)]
    list: Vec<Option<f32>>,
    #[serde(default)]
    by_name: BTreeMap<String, (f32, f64)>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(f32),
    Text(String),
    Sizes(Sizes),
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Internal {
    Plain { single: f32 },
    New(Sizes),
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "t", content = "c", rename_all = "lowercase")]
enum Adjacent {
    Number(f32),
    New(Sizes),
}

#[derive(Serialize, Deserialize)]
struct Flat {
    own: f64,
    #[serde(flatten)]
    sizes: Sizes,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct All {
    untagged: Option<Untagged>,
    internal: Option<Internal>,
    adjacent: Option<Adjacent>,
    flat: Vec<Flat>,
    any: serde_json::Value,
    at: f64,
}

/// A type whose `Deserialize` changes its input.
#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(from = "f32", into = "f32")]
struct Half(f32);

impl From<f32> for Half {
    fn from(number: f32) -> Self {
        Self(number / 2.0)
    }
}

impl From<Half> for f32 {
    fn from(half: Half) -> Self {
        half.0
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Halved {
    Half { x: Half },
}

#[derive(Serialize, Deserialize)]
struct Lax {
    #[serde(flatten)]
    sizes: Sizes,
}

impl Message for All {
    type Kind = Event;
    type Meta = ();
    const TYPE: &'static str = "ALL";
}

impl Message for Flat {
    type Kind = Event;
    type Meta = ();
    const TYPE: &'static str = "FLAT";
}

impl Message for Halved {
    type Kind = Event;
    type Meta = ();
    const TYPE: &'static str = "HALVED";
}

impl Message for Lax {
    type Kind = Event;
    type Meta = ();
    const TYPE: &'static str = "LAX";
    const ALLOW_UNKNOWN: bool = true;
}

impl MessageMeta for Flat {}

#[track_caller]
fn assert_issues<M: Message>(json: &str, expected: &[(&str, &str)]) {
    let found: Vec<_> = match decode::<M>(Some(RawPayload::Json(json))) {
        Ok(_) => Vec::new(),
        Err(issues) => issues.iter().map(|issue| (issue.path().to_owned(), issue.code().to_owned())).collect(),
    };
    let found: Vec<_> = found.iter().map(|(path, code)| (&**path, &**code)).collect();
    assert_eq!(found, expected, "{json}");
}

#[test]
fn buffered_numbers_that_fit_are_accepted() {
    let large = "1.7976931348623157e308";
    for json in [
        r#"{"untagged":3.4028234e38,"flat":[{"own":1,"single":-3.4028234e38}]}"#.to_owned(),
        format!(r#"{{"flat":[{{"own":{large},"single":1,"double":-{large},"by_name":{{"a":[1,{large}]}}}}]}}"#),
        format!(r#"{{"internal":{{"kind":"new","single":1,"double":{large}}},"any":[{large}],"at":{large}}}"#),
        format!(r#"{{"adjacent":{{"c":{{"single":1e-60,"double":{large}}},"t":"new"}}}}"#),
        format!(r#"{{"any":1{}}}"#, "0".repeat(60)),
    ] {
        assert_issues::<All>(&json, &[]);
    }
}

#[test]
fn buffered_numbers_that_do_not_fit_are_refused() {
    for number in ["1e39", "-1e39", &format!("1{}", "0".repeat(39)), "3.4028236e38"] {
        for (json, paths) in [
            (format!(r#"{{"untagged":{number}}}"#), &["untagged"][..]),
            (format!(r#"{{"untagged":{{"single":{number}}}}}"#), &["untagged.single"]),
            (format!(r#"{{"internal":{{"kind":"plain","single":{number}}}}}"#), &["internal.single"]),
            (format!(r#"{{"internal":{{"single":{number},"kind":"plain"}}}}"#), &["internal.single"]),
            (format!(r#"{{"internal":{{"kind":"new","single":1,"list":[1,null,{number}]}}}}"#), &["internal.list[2]"]),
            (format!(r#"{{"adjacent":{{"t":"number","c":{number}}}}}"#), &["adjacent.c"]),
            (format!(r#"{{"adjacent":{{"c":{number},"t":"number"}}}}"#), &["adjacent.c"]),
            (format!(r#"{{"adjacent":{{"c":{{"single":{number}}},"t":"new"}}}}"#), &["adjacent.c.single"]),
            // Beside others that fit an `f64`, and twice.
            (
                format!(
                    r#"{{"at":{number},"any":{number},"flat":[{{"own":{number},"single":{number},"double":{number},
                    "by_name":{{"a":[{number},{number}],"b":[1,{number}]}}}}]}}"#
                ),
                &["flat[0].by_name.a[0]", "flat[0].single"],
            ),
        ] {
            let expected: Vec<_> = paths.iter().map(|path| (*path, "type")).collect();
            assert_issues::<All>(&json, &expected);
        }
    }
    assert_issues::<All>(
        r#"{"any":1e39,"flat":[{"own":1,"single":1e39}],"x":1}"#,
        &[("flat[0].single", "type"), ("x", "unknown_field")],
    );
    let text = decode::<Flat>(Some(RawPayload::Json(r#"{"own":1,"single":1e39}"#))).err().map(|i| i.to_string());
    assert_eq!(text.as_deref(), Some("single must be a number in range"));
}

#[test]
fn buffered_numbers_are_checked_where_unknown_keys_are_allowed() {
    assert_issues::<Lax>(r#"{"single":1,"more":1e39}"#, &[]);
    assert_issues::<Lax>(r#"{"single":1e39,"more":1}"#, &[("single", "type")]);
}

#[test]
fn a_type_that_changes_the_number_is_refused_as_a_whole() {
    assert_issues::<Halved>(r#"{"x":3e38}"#, &[]);
    assert_issues::<Halved>(r#"{"x":1e39}"#, &[("", "type")]);
}

#[test]
fn at_most_32_numbers_are_reported() {
    let list = |count: usize| format!(r#"{{"own":1,"single":1,"list":[{}1]}}"#, "1e39,".repeat(count));
    for (count, reported) in [(1, 1), (32, 32), (33, 32), (5_000, 32)] {
        let issues = decode::<Flat>(Some(RawPayload::Json(&list(count)))).err().unwrap();
        assert_eq!(issues.iter().count(), reported, "{count}");
        assert!(issues.iter().all(|issue| issue.path().starts_with("list[")));
    }
}

#[test]
fn buffered_numbers_are_checked_in_meta() {
    let meta = |keys: &str| {
        extended_meta_from_json::<Flat>(&format!(r#"{{"type":"A","meta":{keys}}}"#))
            .map(|meta| meta.own)
            .map_err(|issues| issues.iter().map(|issue| issue.path().to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(meta(r#"{"own":1e39,"single":1,"other":1e39}"#), Ok(1e39));
    assert_eq!(meta(r#"{"own":1e39,"single":1e39,"clientId":1e39}"#), Err(vec!["meta.single".to_owned()]));
}
