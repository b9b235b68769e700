//! Types whose values serde keeps in a buffer of its own before it reads them: flattened, tagged and untagged ones.

use std::{collections::BTreeMap, marker::PhantomData};

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::super::{findings::Findings, run_seed};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Page {
    number: u8,
    size: Option<i64>,
    sort: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Flat {
    id: u32,
    #[serde(flatten)]
    page: Page,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct WithRest {
    id: u32,
    #[serde(flatten)]
    rest: BTreeMap<String, f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t")]
enum Inside {
    Page(Page),
    Named { name: String, factor: f64 },
    Bare,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", content = "c")]
enum Beside {
    Page(Page),
    Pair(bool, char),
    List(Vec<i8>),
    Bare,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Either {
    Number(u8),
    Text(String),
    Page(Page),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct All {
    flat: Option<Flat>,
    rest: WithRest,
    inside: Vec<Inside>,
    beside: BTreeMap<String, Beside>,
    either: Vec<Either>,
    last: bool,
}

prop_compose! {
    fn page()(number: u8, size: Option<i64>, sort in prop::collection::vec("[a-c]{1,2}", 0..3)) -> Page {
        Page { number, size, sort }
    }
}

fn flat() -> impl Strategy<Value = Flat> {
    (any::<u32>(), page(), "[a-z]{0,3}").prop_map(|(id, page, name)| Flat { id, page, name })
}

fn with_rest() -> impl Strategy<Value = WithRest> {
    let rest = prop::collection::btree_map("[x-z]", -1000..1000i32, 0..3);
    (any::<u32>(), rest).prop_map(|(id, rest)| WithRest {
        id,
        rest: rest.into_iter().map(|(key, value)| (key, f64::from(value) / 4.0)).collect(),
    })
}

fn inside() -> impl Strategy<Value = Inside> {
    prop_oneof![
        page().prop_map(Inside::Page),
        ("[a-z]{0,3}", -8..8i32).prop_map(|(name, factor)| Inside::Named { name, factor: f64::from(factor) / 4.0 }),
        Just(Inside::Bare),
    ]
}

fn beside() -> impl Strategy<Value = Beside> {
    prop_oneof![
        page().prop_map(Beside::Page),
        any::<(bool, char)>().prop_map(|(one, other)| Beside::Pair(one, other)),
        prop::collection::vec(any::<i8>(), 0..3).prop_map(Beside::List),
        Just(Beside::Bare),
    ]
}

fn either() -> impl Strategy<Value = Either> {
    prop_oneof![any::<u8>().prop_map(Either::Number), "[a-z]*".prop_map(Either::Text), page().prop_map(Either::Page)]
}

fn all() -> impl Strategy<Value = All> {
    let beside = prop::collection::btree_map("[a-b]", beside(), 0..3);
    let lists = (prop::collection::vec(inside(), 0..3), prop::collection::vec(either(), 0..3));
    (prop::option::of(flat()), with_rest(), beside, lists, any::<bool>())
        .prop_map(|(flat, rest, beside, (inside, either), last)| All { flat, rest, inside, beside, either, last })
}

/// Every place in a value, with the keys and indices that lead to it.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (step, value) in children {
        let place = format!("{at}/{step}");
        found.push(place.clone());
        places(value, &place, found);
    }
}

/// `a[1].b` as `/a/1/b`.
fn pointer(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!("/{}", path.replace('[', ".").replace(']', "").replace('.', "/"))
    }
}

/// Whether what an issue says of the value is false.
fn is_false(message: &str, value: &Value) -> bool {
    match message {
        "must be an object" => value.is_object(),
        "must be an array" => value.is_array(),
        "must be a string" => value.is_string(),
        "must be a number" => value.is_number(),
        "must be true or false" => value.is_boolean(),
        "must be null" => value.is_null(),
        _ => false,
    }
}

fn changes() -> impl Strategy<Value = Option<Value>> {
    prop::sample::select(vec![
        None,
        Some(Value::Null),
        Some(json!(true)),
        Some(json!(7)),
        Some(json!(300)),
        Some(json!(-1.5)),
        Some(json!("Bare")),
        Some(json!("Page")),
        Some(json!("text")),
        Some(json!([])),
        Some(json!([1, "x"])),
        Some(json!({})),
        Some(json!({ "t": "Bare" })),
        Some(json!({ "number": 1, "size": null, "sort": [] })),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn kind_f7_buffered_types_agree_with_serde_json(
        all in all(),
        place in any::<prop::sample::Index>(),
        change in changes(),
        is_reversed: bool,
    ) {
        let mut document = serde_json::to_value(&all).unwrap();
        let mut found = Vec::new();
        places(&document, "", &mut found);
        let changed = place.get(&found);
        let (parent, key) = changed.rsplit_once('/').unwrap();
        match (change, document.pointer_mut(parent).unwrap()) {
            (Some(value), parent) => *parent.pointer_mut(&format!("/{key}")).unwrap() = value,
            (None, Value::Object(members)) => drop(members.remove(key)),
            (None, parent) => drop(parent.as_array_mut().unwrap().remove(key.parse().unwrap())),
        }
        let json = if is_reversed { reversed(&document) } else { document.to_string() };
        let explained = run_seed(&json, &Findings::of_payload(false), PhantomData::<All>);
        match (serde_json::from_str::<All>(&json), explained) {
            (Ok(value), Ok(explained)) => prop_assert_eq!(value, explained, "{}", json),
            (Err(_), Err(issues)) => for issue in &issues {
                let path = pointer(issue.path());
                // What is wrong is what was changed, what it stands in, or what it made of its neighbours.
                let tagged = if key == "t" { parent } else { changed };
                prop_assert!(changed.starts_with(&path) || path.starts_with(tagged), "{issue:?} for {changed}: {json}");
                let value = document.pointer(&path);
                prop_assert!(value.is_none() == (issue.code() == "missing_field"), "{issue:?}: {json}");
                prop_assert!(!value.is_some_and(|value| is_false(issue.message(), value)), "{issue:?}: {json}");
            },
            // With `arbitrary_precision`, serde_json does not know the numbers that it has buffered itself.
            (Err(_), Ok(_)) if serde_json::from_str::<Value>("1e999").is_ok() => {}
            (value, explained) => prop_assert!(false, "{value:?} and {explained:?}: {json}"),
        }
    }
}

/// The text of a value whose objects have their keys the other way round: a tag behind what it says.
fn reversed(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<_> =
                members.iter().rev().map(|(key, value)| format!("{}:{}", json!(key), reversed(value))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(reversed).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}
