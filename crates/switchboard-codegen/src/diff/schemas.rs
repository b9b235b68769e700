//! Two schemas of one place.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    change::{Change, Sender},
    flat::{flat, key, types, variants},
    limits::{self, Way},
};
use crate::model::{Direction, Source};

/// Compares the schemas of values that go one way.
pub(super) struct Schemas<'a> {
    pub(super) old: &'a Source,
    pub(super) new: &'a Source,
    pub(super) direction: Direction,
    /// Whether the server takes keys that it does not know.
    pub(super) allow_unknown: bool,
    pub(super) changes: &'a mut Vec<Change>,
    /// References whose targets are being compared, further out.
    seen: BTreeSet<(String, String)>,
    depth: usize,
    /// How many more comparisons are made.
    left: usize,
}

/// How deep values are compared.
const MAX_DEPTH: usize = 64;

/// Comparisons of one message.
const MAX_COMPARISONS: usize = 50_000;

impl<'a> Schemas<'a> {
    pub(super) fn new(
        old: &'a Source,
        new: &'a Source,
        direction: Direction,
        allow_unknown: bool,
        changes: &'a mut Vec<Change>,
    ) -> Self {
        Self { old, new, direction, allow_unknown, changes, seen: BTreeSet::new(), depth: 0, left: MAX_COMPARISONS }
    }

    pub(super) fn compare(&mut self, old: &Value, new: &Value, path: &str) {
        let reference = |schema: &Value| schema.get("$ref").and_then(Value::as_str).map(str::to_owned);
        let pair = reference(old).zip(reference(new));
        if let Some(pair) = &pair
            && !self.seen.insert(pair.clone())
        {
            return;
        }
        self.left = self.left.saturating_sub(1);
        if self.depth < MAX_DEPTH && self.left > 0 {
            self.depth += 1;
            let (a, b) = (flat(old, self.old), flat(new, self.new));
            self.compare_flat(&a, &b, path);
            self.depth -= 1;
        } else if self.left > 0 {
            // Once, and it is told.
            self.left = 0;
            self.changes.push(Change::new(true, self.direction.into(), path, "too deep to be compared"));
        }
        if let Some(pair) = pair {
            self.seen.remove(&pair);
        }
    }

    fn compare_flat(&mut self, old: &Map<String, Value>, new: &Map<String, Value>, path: &str) {
        let is_any = |schema: &Map<String, Value>| {
            types(schema).is_empty()
                && variants(schema).is_none()
                && !schema.contains_key("enum")
                && !schema.contains_key("properties")
        };
        match (is_any(old), is_any(new)) {
            (true, true) => return,
            (true, false) => return self.add(Way::Narrowed, path, "was any value, has a type now"),
            (false, true) => return self.add(Way::Widened, path, "had a type, is any value now"),
            (false, false) => {}
        }
        if old.get("deprecated") != new.get("deprecated") {
            let text = if new.contains_key("deprecated") { "deprecated now" } else { "no longer deprecated" };
            self.changes.push(Change::new(false, self.direction.into(), path, text));
        }
        if variants(old).is_some() || variants(new).is_some() {
            self.variants(old, new, path);
            if variants(old).is_none() || variants(new).is_none() {
                return;
            }
        } else if !self.types(old, new, path) {
            return;
        }
        self.values(old, new, path);
        for (way, text) in limits::compare(old, new) {
            // No part of a client's types.
            let breaks = self.direction == Direction::Inbound && way != Way::Widened;
            self.changes.push(Change::new(breaks, self.direction.into(), path, text));
        }
        self.items(old, new, path);
        self.objects(old, new, path);
    }

    /// Reports a change of the set of values.
    pub(super) fn add(&mut self, way: Way, path: &str, text: impl Into<String>) {
        let breaks = match self.direction {
            Direction::Inbound => way != Way::Widened,
            Direction::Outbound => way != Way::Narrowed,
        };
        self.changes.push(Change::new(breaks, Sender::from(self.direction), path, text));
    }

    /// Returns whether there is a type in common, so that the rest can be compared.
    fn types(&mut self, old: &Map<String, Value>, new: &Map<String, Value>, path: &str) -> bool {
        let (mut a, mut b) = (types(old), types(new));
        // `null` beside another type.
        if a.iter().any(|name| name != "null") && b.iter().any(|name| name != "null") {
            match (a.remove("null"), b.remove("null")) {
                (false, true) => self.add(Way::Widened, path, "may be null now"),
                (true, false) => self.add(Way::Narrowed, path, "no longer null"),
                _ => {}
            }
        }
        if a == b {
            return true;
        }
        let has =
            |set: &BTreeSet<String>, name: &String| set.contains(name) || name == "integer" && set.contains("number");
        let gone = a.iter().any(|name| !has(&b, name));
        let more = b.iter().any(|name| !has(&a, name));
        let show = |set: &BTreeSet<String>| set.iter().map(String::as_str).collect::<Vec<_>>().join(" or ");
        let way = match (gone, more) {
            (true, true) => Way::Replaced,
            (true, false) => Way::Narrowed,
            (false, _) => Way::Widened,
        };
        self.add(way, path, format!("the type was {}, is {}", show(&a), show(&b)));
        !(gone && more)
    }

    fn values(&mut self, old: &Map<String, Value>, new: &Map<String, Value>, path: &str) {
        let list = |schema: &Map<String, Value>| schema.get("enum").and_then(Value::as_array).cloned();
        match (list(old), list(new)) {
            (Some(a), Some(b)) => {
                for value in a.iter().filter(|value| !b.contains(value)) {
                    self.add(Way::Narrowed, path, format!("the value {value} is gone"));
                }
                for value in b.iter().filter(|value| !a.contains(value)) {
                    self.add(Way::Widened, path, format!("the value {value} is new"));
                }
            }
            (None, Some(_)) => self.add(Way::Narrowed, path, "only certain values now"),
            (Some(_), None) => self.add(Way::Widened, path, "any value of the type now"),
            (None, None) => {}
        }
    }

    fn variants(&mut self, old: &Map<String, Value>, new: &Map<String, Value>, path: &str) {
        let list = |schema: &Map<String, Value>| {
            variants(schema).cloned().unwrap_or_else(|| vec![Value::Object(schema.clone())])
        };
        let (a, b) = (list(old), list(new));
        let keyed =
            |list: &[Value], source: &Source| -> Vec<String> { list.iter().map(|one| key(one, source)).collect() };
        let (keys, others) = (keyed(&a, self.old), keyed(&b, self.new));
        for (key, variant) in keys.iter().zip(&a) {
            match others.iter().position(|other| other == key) {
                Some(at) => self.compare(variant, &b[at], &format!("{path}({key})")),
                None if key == "null" => self.add(Way::Narrowed, path, "no longer null"),
                None => self.add(Way::Narrowed, path, format!("the variant {key} is gone")),
            }
        }
        for key in others.iter().filter(|key| !keys.contains(key)) {
            let text = if key == "null" { "may be null now".to_owned() } else { format!("the variant {key} is new") };
            self.add(Way::Widened, path, text);
        }
    }

    fn items(&mut self, old: &Map<String, Value>, new: &Map<String, Value>, path: &str) {
        let tuple = |schema: &Map<String, Value>| schema.get("prefixItems").and_then(Value::as_array).cloned();
        match (tuple(old), tuple(new)) {
            (Some(a), Some(b)) => {
                if a.len() != b.len() {
                    self.add(Way::Replaced, path, format!("had {} items, has {}", a.len(), b.len()));
                }
                for (index, (a, b)) in a.iter().zip(&b).enumerate() {
                    self.compare(a, b, &format!("{path}[{index}]"));
                }
            }
            (None, None) => {
                let any = Value::Bool(true);
                let item = |schema: &Map<String, Value>| schema.get("items").unwrap_or(&any).clone();
                self.compare(&item(old), &item(new), &format!("{path}[]"));
            }
            _ => self.add(Way::Replaced, path, "a list became a tuple, or a tuple a list"),
        }
    }
}
