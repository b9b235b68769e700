//! Payloads that are refused, each beside one of about the same size that is accepted. The benchmark
//! measures both; a test counts how much text is read for them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use switchboard_core::{
    Event, Issues, Message,
    decode::{RawPayload, decode},
    validation::{At, Broken, LengthRule as _, Report, Rules, check},
};

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    details: Value,
    text: String,
    numbers: Vec<u64>,
    names: Vec<String>,
    items: Vec<Item>,
    by_key: BTreeMap<String, u64>,
    either: Vec<Either>,
    tagged: Vec<Tagged>,
    beside: Vec<Beside>,
}

#[derive(Serialize, Deserialize)]
struct Item {
    a: u8,
    b: String,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Either {
    Number(u64),
    Item(Item),
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "t")]
enum Tagged {
    Item(Item),
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "t", content = "c")]
enum Beside {
    Item(Item),
}

/// Refuses unknown keys.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Closed(Body);

/// Ignores them.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Open(Body);

#[derive(Serialize, Deserialize)]
struct Flat {
    a: u8,
    #[serde(flatten)]
    rest: BTreeMap<String, u64>,
}

/// Has rules, as the macros write them.
#[derive(Serialize, Deserialize)]
struct Ruled {
    items: Vec<Item>,
}

impl Rules for Item {
    fn check(&self, at: At<'_>, report: &mut Report) {
        at.field("b", |at| {
            if let Err(bounds) = self.b.__switchboard_length(|| Some(1), || Some(4), || None) {
                report.broken(at, "length", Broken { code: "length", message: None }, &bounds);
            }
        });
    }
}

impl Message for Ruled {
    type Kind = Event;
    type Meta = ();
    const TYPE: &'static str = "HOSTILE";

    fn validate(&self) -> Result<(), Issues> {
        check(&self.items)
    }
}

macro_rules! messages {
    ($($name:ident allows $unknown:literal;)*) => {$(
        impl Message for $name {
            type Kind = Event;
            type Meta = ();
            const TYPE: &'static str = "HOSTILE";
            const ALLOW_UNKNOWN: bool = $unknown;
        }
    )*};
}

messages! {
    Closed allows false;
    Open allows true;
    Flat allows false;
}

/// One kind of attack.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) refused: String,
    refuse: fn(&str) -> bool,
    pub(crate) accepted: String,
    accept: fn(&str) -> bool,
}

fn decodes<M: Message>(json: &str) -> bool {
    decode::<M>(Some(RawPayload::Json(json))).is_ok()
}

impl Shape {
    /// With a key that is refused or ignored: the same bytes.
    fn same(name: &'static str, json: String) -> Self {
        Self { name, refused: json.clone(), refuse: decodes::<Closed>, accepted: json, accept: decodes::<Open> }
    }

    fn pair(name: &'static str, refused: String, accepted: String) -> Self {
        Self { name, refused, refuse: decodes::<Closed>, accepted, accept: decodes::<Open> }
    }

    /// What is refused; true if it was accepted.
    pub(crate) fn refuse(&self) -> bool {
        (self.refuse)(&self.refused)
    }

    /// What is accepted; false if it was refused.
    pub(crate) fn accept(&self) -> bool {
        (self.accept)(&self.accepted)
    }
}

fn list(one: &str, len: usize) -> String {
    vec![one; len / (one.len() + 1)].join(",")
}

fn keys(len: usize, key: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for i in 0.. {
        text.push_str(&format!("\"{}\":1,", key(i)));
        if text.len() >= len {
            break;
        }
    }
    text
}

/// All of them, with payloads of about `len` bytes.
pub(crate) fn shapes(len: usize) -> Vec<Shape> {
    let long = "k".repeat(len / 3);
    let escaped = "\\u00e9".repeat(len / 18);
    let ones = list("1", len * 2 / 3);
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let objects = format!("{}1{}", r#"{"key":"#.repeat(100), "}".repeat(100));
    let item = r#"{"a":1,"b":"text"}"#;
    let items = list(item, len);
    let tagged = list(r#"{"t":"Item","a":1,"b":"text"}"#, len);
    let beside = list(r#"{"t":"Item","c":{"a":1,"b":"text"}}"#, len);
    let reversed = list(r#"{"c":{"a":1,"b":"text"},"t":"Item"}"#, len);
    let long_keys = keys(len, |i| format!("{}{i}", "k".repeat(200)));
    let short_keys = keys(len, |i| format!("k{i}"));
    vec![
        Shape::same("a long key over many elements", format!(r#"{{"details":{{"{long}":[{ones}]}},"x":1}}"#)),
        Shape::same("an escaped key over many elements", format!(r#"{{"details":{{"{escaped}":[{ones}]}},"x":1}}"#)),
        Shape::same("an unknown key over many elements", format!(r#"{{"{long}":[{ones}]}}"#)),
        Shape::same("deep arrays", format!(r#"{{"details":[{}],"x":1}}"#, list(&deep, len))),
        Shape::same("deep objects", format!(r#"{{"details":[{}],"x":1}}"#, list(&objects, len))),
        Shape::same("deep below an unknown key", format!(r#"{{"x":[{}]}}"#, list(&objects, len))),
        Shape::same("many unknown keys", format!(r#"{{{short_keys}"x":1}}"#)),
        Shape::same("many unknown long keys", format!(r#"{{{long_keys}"x":1}}"#)),
        Shape::same("a map with long keys", format!(r#"{{"byKey":{{{long_keys}"z":1}},"x":1}}"#)),
        Shape::same("a long string", format!(r#"{{"text":"{}","x":1}}"#, "t".repeat(len))),
        Shape::same("a long unknown string", format!(r#"{{"x":"{}"}}"#, "t".repeat(len))),
        Shape::same("a long unknown number", format!(r#"{{"x":{}}}"#, "7".repeat(len))),
        Shape::same("an unknown key behind a body", format!(r#"{{"items":[{items}],"x":1}}"#)),
        Shape::same("unknown keys in each item", {
            format!(r#"{{"items":[{}]}}"#, list(r#"{"a":1,"b":"text","x":1}"#, len))
        }),
        Shape::pair(
            "wrong types from the start",
            format!(r#"{{"numbers":[{}]}}"#, list("\"1\"", len)),
            format!(r#"{{"names":[{}]}}"#, list("\"1\"", len)),
        ),
        Shape::pair(
            "a wrong type at the end",
            format!(r#"{{"numbers":[{ones},"x"]}}"#),
            format!(r#"{{"numbers":[{ones},1]}}"#),
        ),
        Shape::pair(
            "a missing field at the end",
            format!(r#"{{"items":[{items},{{"a":1}}]}}"#),
            format!(r#"{{"items":[{items}]}}"#),
        ),
        Shape::pair(
            "missing fields from the start",
            format!(r#"{{"items":[{}]}}"#, list("{}", len)),
            format!(r#"{{"items":[{items}]}}"#),
        ),
        Shape::pair(
            "an untagged enum",
            format!(r#"{{"either":[{items},{{"a":"x"}}]}}"#),
            format!(r#"{{"either":[{items}]}}"#),
        ),
        Shape::pair(
            "a tagged enum",
            format!(r#"{{"tagged":[{tagged},{{"t":"Item","a":"x"}}]}}"#),
            format!(r#"{{"tagged":[{tagged}]}}"#),
        ),
        Shape::pair(
            "an adjacently tagged enum",
            format!(r#"{{"beside":[{beside},{{"t":"Item","c":{{"a":"x"}}}}]}}"#),
            format!(r#"{{"beside":[{beside}]}}"#),
        ),
        Shape::same("an adjacently tagged enum, reversed", format!(r#"{{"beside":[{reversed}],"x":1}}"#)),
        Shape {
            name: "a broken rule in each item",
            refused: format!(r#"{{"items":[{}]}}"#, list(r#"{"a":1,"b":"texts"}"#, len)),
            refuse: decodes::<Ruled>,
            accepted: format!(r#"{{"items":[{items}]}}"#),
            accept: decodes::<Ruled>,
        },
        Shape {
            name: "flattened",
            refused: format!(r#"{{"a":1,{short_keys}"z":"x"}}"#),
            refuse: decodes::<Flat>,
            accepted: format!(r#"{{"a":1,{short_keys}"z":1}}"#),
            accept: decodes::<Flat>,
        },
    ]
}
