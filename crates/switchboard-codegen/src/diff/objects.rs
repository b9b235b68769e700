//! Two schemas of objects.

use serde_json::{Map, Value};

use super::{change::Change, limits::Way, schemas::Schemas};
use crate::model::Direction;

/// A property of a schema.
struct Property<'a> {
    name: &'a str,
    schema: &'a Value,
    required: bool,
}

fn properties(schema: &Map<String, Value>) -> Vec<Property<'_>> {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|other| other == name));
    let all = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    all.map(|(name, schema)| Property { name, schema, required: is_required(name) }).collect()
}

impl Schemas<'_> {
    pub(super) fn objects(&mut self, old: &Map<String, Value>, new: &Map<String, Value>, path: &str) {
        let (a, b) = (properties(old), properties(new));
        let find = |list: &[Property<'_>], name: &str| list.iter().position(|property| property.name == name);
        let gone: Vec<&Property<'_>> = a.iter().filter(|property| find(&b, property.name).is_none()).collect();
        let more: Vec<&Property<'_>> = b.iter().filter(|property| find(&a, property.name).is_none()).collect();
        let renamed = match (&gone[..], &more[..]) {
            ([gone], [more]) if gone.schema == more.schema => Some(more.name),
            _ => None,
        };
        let inbound = self.direction == Direction::Inbound;
        for property in &gone {
            let place = format!("{path}.{}", property.name);
            let breaks = if inbound { !self.allow_unknown } else { property.required };
            let text = renamed.map_or_else(|| "removed".to_owned(), |name| format!("renamed to `{name}`"));
            self.changes.push(Change::new(breaks, self.direction.into(), &place, text));
        }
        for property in more {
            let place = format!("{path}.{}", property.name);
            let text = if property.required { "added, required" } else { "added, optional" };
            self.changes.push(Change::new(inbound && property.required, self.direction.into(), &place, text));
        }
        for property in &a {
            let Some(other) = find(&b, property.name).map(|at| &b[at]) else { continue };
            let place = format!("{path}.{}", property.name);
            match (property.required, other.required) {
                (true, false) => self.add(Way::Widened, &place, "optional now"),
                (false, true) => self.add(Way::Narrowed, &place, "required now"),
                _ => {}
            }
            self.compare(property.schema, other.schema, &place);
        }
        self.others(old, new, path);
    }

    /// Properties that are not named: those of a map.
    fn others(&mut self, old: &Map<String, Value>, new: &Map<String, Value>, path: &str) {
        let others = |schema: &Map<String, Value>| {
            let named = ["additionalProperties", "unevaluatedProperties"].iter().find_map(|name| schema.get(*name));
            let by_pattern = schema.get("patternProperties").and_then(Value::as_object);
            by_pattern
                .and_then(|all| all.values().next())
                .or(named)
                .filter(|value| **value != Value::Bool(false))
                .cloned()
        };
        match (others(old), others(new)) {
            (Some(a), Some(b)) => self.compare(&a, &b, &format!("{path}{{}}")),
            (None, Some(_)) => self.add(Way::Widened, path, "may have any keys now"),
            (Some(_), None) => self.add(Way::Narrowed, path, "has only certain keys now"),
            (None, None) => {}
        }
    }
}
