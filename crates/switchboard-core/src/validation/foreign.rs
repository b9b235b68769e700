//! Finds wire paths for types that derive only `validator::Validate`.
//!
//! `validator` names fields as Rust does and elements of maps by their position. The names on the
//! wire are in the value as JSON, so once a rule is broken, the value is serialised and compared
//! with the errors. A renamed field is found by the value that broke its rule. This is a guess from
//! outside; types with `#[ws_payload]` know their names.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use super::{
    At, Report, messages,
    probe::{Step, camel_case, plain},
    unwritable,
};

/// The parameter in which an error of this crate carries its path.
pub(super) const PATH: &str = "path";

/// Where `validator` puts the rules of a whole struct.
pub(super) const WHOLE: &str = "__all__";

/// Where `validator` puts the elements of a container without a field of its own.
const ELEMENTS: &str = "_tmp_validator";

/// Checks a value and reports every error below `at`. `names` asks the type for wire names.
pub(super) fn check<T: Serialize>(
    checked: &impl Validate,
    value: Option<&T>,
    names: fn(&[Step], &str) -> Cow<'static, str>,
    at: At<'_>,
    report: &mut Report,
) {
    // The rules of the struct may look at more than one value.
    if report.is_partial() {
        return;
    }
    match unwritable::run(|| checked.validate()) {
        Some(Ok(())) => {}
        Some(Err(errors)) => self::report(&errors, value, names, at, report),
        // The rule that was broken is lost.
        None => report.push(at, || (Cow::Borrowed("custom"), Cow::Borrowed("is not valid"))),
    }
}

fn report<T: Serialize>(
    errors: &ValidationErrors,
    value: Option<&T>,
    names: fn(&[Step], &str) -> Cow<'static, str>,
    at: At<'_>,
    report: &mut Report,
) {
    let node = value.and_then(|value| serde_json::from_str(&serde_json::to_string(value).ok()?).ok());
    let before = report.count();
    let mut walk = Walk { names, steps: Vec::new(), report };
    walk.errors(errors, node.as_ref(), at);
    if report.count() == before {
        // No error in the list could be placed, but the value is still invalid.
        report.push(at, || (Cow::Borrowed("custom"), Cow::Borrowed("is not valid")));
    }
}

struct Walk<'a> {
    names: fn(&[Step], &str) -> Cow<'static, str>,
    steps: Vec<Step>,
    report: &'a mut Report,
}

/// What a field in Rust is on the wire.
enum Found<'a> {
    Key(&'a str, &'a Node),
    /// The fields of this value are beside the others, or it is the only value.
    Here,
    Nowhere,
}

impl Walk<'_> {
    fn errors(&mut self, errors: &ValidationErrors, node: Option<&Node>, at: At<'_>) {
        for (field, kind) in errors.errors() {
            if field == WHOLE || field == ELEMENTS || is_ours(kind) {
                self.kind(kind, node, at);
                continue;
            }
            let field = field.strip_prefix("r#").unwrap_or(field);
            let (name, node) = match node.map_or(Found::Nowhere, |node| node.find(field, kind, errors)) {
                Found::Key(key, node) => (Cow::Owned(key.to_owned()), Some(node)),
                Found::Here => {
                    self.kind(kind, node, at);
                    continue;
                }
                Found::Nowhere => ((self.names)(&self.steps, field), None),
            };
            self.steps.push(Step::Field(name.clone()));
            at.field(&name, |at| self.kind(kind, node, at));
            self.steps.pop();
        }
    }

    fn kind(&mut self, kind: &ValidationErrorsKind, node: Option<&Node>, at: At<'_>) {
        match kind {
            ValidationErrorsKind::Field(errors) => {
                for error in errors {
                    let path = error.params.get(PATH).and_then(Value::as_str).unwrap_or_default();
                    at.path(path, |at| self.report.push(at, || (error.code.clone(), messages::message(error))));
                }
            }
            ValidationErrorsKind::Struct(errors) => self.errors(errors, node, at),
            ValidationErrorsKind::List(items) => {
                for (index, errors) in items {
                    match node {
                        Some(Node::Map(entries)) if *index < entries.len() => {
                            let (key, node) = &entries[*index];
                            self.steps.push(Step::Field(Cow::Owned(key.clone())));
                            at.field(key, |at| self.errors(errors, Some(node), at));
                        }
                        _ => {
                            let node = node.and_then(|node| node.item(*index));
                            self.steps.push(Step::Item);
                            at.item(*index, |at| self.errors(errors, node, at));
                        }
                    }
                    self.steps.pop();
                }
            }
        }
    }
}

/// Whether these errors carry their own paths.
fn is_ours(kind: &ValidationErrorsKind) -> bool {
    matches!(kind, ValidationErrorsKind::Field(errors) if errors.iter().all(|error| error.params.contains_key(PATH)))
}

/// A value with its keys in the order in which they were written.
#[derive(Debug)]
enum Node {
    Map(Vec<(String, Self)>),
    List(Vec<Self>),
    Leaf(Value),
}

impl Node {
    fn item(&self, index: usize) -> Option<&Self> {
        match self {
            Self::List(items) => items.get(index),
            _ => None,
        }
    }

    fn find(&self, field: &str, kind: &ValidationErrorsKind, errors: &ValidationErrors) -> Found<'_> {
        let Self::Map(entries) = self else { return Found::Here };
        let fitting = |(_, node): &&(String, Self)| node.fits(kind);
        let camel = camel_case(field);
        let named = entries
            .iter()
            .find(|(key, _)| key == field)
            .or_else(|| entries.iter().find(|(key, _)| *key == camel))
            .or_else(|| entries.iter().find(|(key, _)| plain(key).eq(plain(field))));
        if let Some((key, node)) = named.filter(fitting) {
            return Found::Key(key, node);
        }
        // The name belongs to another field with an error.
        let taken = |key: &str| errors.errors().keys().any(|other| other != field && plain(other).eq(plain(key)));
        let renamed = entries.iter().filter(fitting).find(|(key, _)| !taken(key));
        match renamed.or(named) {
            Some((key, node)) => Found::Key(key, node),
            None if matches!(kind, ValidationErrorsKind::Struct(_)) && self.fits(kind) => Found::Here,
            None => Found::Nowhere,
        }
    }

    /// Whether these errors can be about this value.
    fn fits(&self, kind: &ValidationErrorsKind) -> bool {
        match (kind, self) {
            (ValidationErrorsKind::Field(errors), _) => {
                errors.iter().any(|error| error.params.get("value").is_some_and(|value| self.is(value)))
            }
            (ValidationErrorsKind::Struct(errors), Self::Map(entries)) => {
                errors.errors().iter().all(|(field, kind)| {
                    field == WHOLE || entries.iter().any(|(key, node)| plain(key).eq(plain(field)) || node.fits(kind))
                })
            }
            (ValidationErrorsKind::Struct(errors), Self::Leaf(_)) => {
                errors.errors().values().all(|kind| self.fits(kind))
            }
            (ValidationErrorsKind::Struct(_), Self::List(_)) => false,
            (ValidationErrorsKind::List(items), Self::Map(entries)) => items.keys().all(|index| *index < entries.len()),
            (ValidationErrorsKind::List(items), Self::List(elements)) => {
                items.keys().all(|index| *index < elements.len())
            }
            (ValidationErrorsKind::List(_), Self::Leaf(_)) => false,
        }
    }

    fn is(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Leaf(own), value) => own == value,
            (Self::List(own), Value::Array(values)) => {
                own.len() == values.len() && own.iter().zip(values).all(|(own, value)| own.is(value))
            }
            (Self::Map(own), Value::Object(values)) => {
                own.len() == values.len()
                    && own.iter().all(|(key, own)| values.get(key).is_some_and(|value| own.is(value)))
            }
            _ => false,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NodeVisitor;

        impl<'de> Visitor<'de> for NodeVisitor {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
                Ok(Node::Leaf(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
                Ok(Node::Leaf(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
                Ok(Node::Leaf(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
                Ok(Node::Leaf(value.into()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Node, E> {
                Ok(Node::Leaf(value.into()))
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Leaf(Value::Null))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Node::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Node::Map(entries))
            }
        }

        deserializer.deserialize_any(NodeVisitor)
    }
}
