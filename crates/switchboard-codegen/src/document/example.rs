//! An example of a value, from its schema.

use serde_json::{Map, Number, Value, json};

/// How deep references are followed.
const MAX_DEPTH: usize = 24;

/// How many schemas are looked at.
const MAX_STEPS: usize = 10_000;

/// A value that the schema allows, or `None` where none is found. `resolve` finds what a `$ref` refers to.
pub(super) fn example(schema: &Value, resolve: &dyn Fn(&str) -> Option<Value>) -> Option<Value> {
    Examples { resolve, depth: 0, left: MAX_STEPS }.of(schema)
}

struct Examples<'a> {
    resolve: &'a dyn Fn(&str) -> Option<Value>,
    depth: usize,
    left: usize,
}

impl Examples<'_> {
    fn of(&mut self, schema: &Value) -> Option<Value> {
        let keywords = match schema {
            Value::Bool(true) => return Some(json!({})),
            Value::Object(keywords) => keywords,
            _ => return None,
        };
        if self.depth > MAX_DEPTH || self.left == 0 {
            return None;
        }
        self.left -= 1;
        self.depth += 1;
        let found = self.of_keywords(keywords);
        self.depth -= 1;
        found
    }

    fn of_keywords(&mut self, schema: &Map<String, Value>) -> Option<Value> {
        if let Some(first) = schema.get("examples").and_then(|examples| examples.get(0)) {
            return Some(first.clone());
        }
        if let Some(value) = schema.get("const").or_else(|| schema.get("default")) {
            return Some(value.clone());
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return values.first().cloned();
        }
        let mut merged: Option<Value> = None;
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = (self.resolve)(reference)?;
            merged = merge(merged, self.of(&target)?)?;
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            merged = merge(merged, self.of(part)?)?;
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(variants) = schema.get(keyword).and_then(Value::as_array) {
                merged = merge(merged, variants.iter().find_map(|variant| self.of(variant))?)?;
            }
        }
        if let Some(value) = self.of_type(schema)? {
            merged = merge(merged, value)?;
        }
        Some(merged.unwrap_or_else(|| json!({})))
    }

    /// `Some(None)` without a type.
    #[expect(clippy::option_option, reason = "none is found, or nothing is asked for")]
    fn of_type(&mut self, schema: &Map<String, Value>) -> Option<Option<Value>> {
        let types: Vec<&str> = match schema.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => return Some(None),
        };
        types.into_iter().find_map(|name| self.of_one_type(name, schema)).map(Some)
    }

    fn of_one_type(&mut self, name: &str, schema: &Map<String, Value>) -> Option<Value> {
        Some(match name {
            "null" => Value::Null,
            "boolean" => true.into(),
            "integer" | "number" => number(schema)?,
            "string" => text(schema)?.into(),
            "array" => self.array(schema)?,
            "object" => {
                let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
                let properties = schema.get("properties");
                let mut object = Map::new();
                for name in required.filter_map(Value::as_str) {
                    let property = properties.and_then(|all| all.get(name)).unwrap_or(&Value::Bool(true));
                    object.insert(name.to_owned(), self.of(property)?);
                }
                object.into()
            }
            _ => return None,
        })
    }

    fn array(&mut self, schema: &Map<String, Value>) -> Option<Value> {
        let tuple = schema.get("prefixItems").or_else(|| schema.get("items").filter(|items| items.is_array()));
        if let Some(items) = tuple.and_then(Value::as_array) {
            return items.iter().map(|item| self.of(item)).collect();
        }
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
        if least > 64 || (least > 1 && schema.get("uniqueItems") == Some(&Value::Bool(true))) {
            return None;
        }
        let item = if least == 0 { Value::Null } else { self.of(schema.get("items").unwrap_or(&Value::Bool(true)))? };
        Some((0..least).map(|_| item.clone()).collect())
    }
}

/// Both at once, if both are objects.
#[expect(clippy::option_option, reason = "as the caller's `?` wants it")]
fn merge(first: Option<Value>, second: Value) -> Option<Option<Value>> {
    match (first, second) {
        (None, second) => Some(Some(second)),
        (Some(Value::Object(mut first)), Value::Object(second)) => {
            for (name, value) in second {
                match first.get(&name).cloned() {
                    Some(known) if known.is_object() => first.insert(name, merge(Some(known), value)??),
                    Some(_) => None,
                    None => first.insert(name, value),
                };
            }
            Some(Some(first.into()))
        }
        (Some(first), second) => (first == second).then_some(Some(first)),
    }
}

fn number(schema: &Map<String, Value>) -> Option<Value> {
    let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
    let is_integer = schema.get("type") == Some(&json!("integer"));
    let least = bound("minimum").or(bound("exclusiveMinimum").map(|least| least + 1.0));
    let most = bound("maximum").or(bound("exclusiveMaximum").map(|most| most - 1.0));
    let value = least.unwrap_or(0.0).max(0.0).min(most.unwrap_or(f64::MAX));
    let value = if least.is_some_and(|least| least > value) { least? } else { value };
    if bound("multipleOf").is_some_and(|step| value % step != 0.0) || most.is_some_and(|most| value > most) {
        return None;
    }
    let whole = value.abs() < 9e15 && value.fract() == 0.0;
    if whole {
        return format!("{value:.0}").parse::<i64>().ok().map(Value::from);
    }
    if is_integer { None } else { Number::from_f64(value).map(Value::Number) }
}

fn text(schema: &Map<String, Value>) -> Option<String> {
    let format = schema.get("format").and_then(Value::as_str);
    let known = match format {
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        Some("date-time") => "2026-01-31T12:00:00Z",
        Some("partial-date-time") => "2026-01-31T12:00:00",
        Some("date") => "2026-01-31",
        Some("time" | "partial-time") => "12:00:00",
        Some("email") => "somebody@example.com",
        Some("uri" | "url") => "https://example.com/",
        Some("ipv4" | "ip") => "192.0.2.1",
        Some("ipv6") => "2001:db8::1",
        _ => "",
    };
    // Nothing here knows whether a text matches; this is the one of decimals.
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
        return pattern.starts_with(r"^-?\d+").then(|| "0".to_owned());
    }
    if !known.is_empty() {
        return Some(known.to_owned());
    }
    let length =
        |keyword: &str| schema.get(keyword).and_then(Value::as_u64).and_then(|length| usize::try_from(length).ok());
    let least = length("minLength").unwrap_or(0);
    if least > 1024 {
        return None;
    }
    let mut text = "text".to_owned();
    while text.len() < least {
        text.push('x');
    }
    text.truncate(length("maxLength").unwrap_or(usize::MAX));
    Some(text)
}
