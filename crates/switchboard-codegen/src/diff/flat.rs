//! A schema without references at its root.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::model::{Source, referred};

/// How many references and parts are taken in.
const MAX_STEPS: usize = 64;

/// The schema with what `$ref` and `allOf` refer to taken in. `true` has no keywords.
pub(super) fn flat(schema: &Value, source: &Source) -> Map<String, Value> {
    let mut all = Map::new();
    let mut steps = MAX_STEPS;
    collect(schema, source, &mut steps, &mut all);
    if let Some(inner) = nullable(&all).cloned() {
        all.remove("anyOf");
        collect(&inner, source, &mut steps, &mut all);
        let mut types: Vec<Value> = types(&all).into_iter().map(Value::from).collect();
        // Where no type is named, there are values or variants, and no other word for `null`.
        if !types.is_empty() {
            types.push("null".into());
            all.insert("type".to_owned(), types.into());
        }
    }
    normalise(&mut all);
    all
}

/// The one schema of `anyOf` beside `null`.
fn nullable(schema: &Map<String, Value>) -> Option<&Value> {
    let is_null = |schema: &Value| schema.get("type").is_some_and(|name| name == "null");
    match schema.get("anyOf")?.as_array()?.as_slice() {
        [inner, null] if is_null(null) && !is_null(inner) => Some(inner),
        _ => None,
    }
}

fn collect(schema: &Value, source: &Source, steps: &mut usize, all: &mut Map<String, Value>) {
    let Value::Object(keywords) = schema else { return };
    let Some(left) = steps.checked_sub(1) else { return };
    *steps = left;
    if let Some((direction, name)) = keywords.get("$ref").and_then(Value::as_str).and_then(referred)
        && let Some(target) = source.definitions(direction).get(&name)
    {
        collect(target, source, steps, all);
    }
    for part in keywords.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        collect(part, source, steps, all);
    }
    for (keyword, value) in keywords {
        match (keyword.as_str(), all.get_mut(keyword), value) {
            ("$ref" | "allOf" | "description" | "title" | "examples", ..) => {}
            ("properties", Some(Value::Object(known)), Value::Object(more)) => known.extend(more.clone()),
            ("required", Some(Value::Array(known)), Value::Array(more)) => known.extend(more.clone()),
            _ => _ = all.insert(keyword.clone(), value.clone()),
        }
    }
}

/// Documented variants of an enum are constants in `oneOf`; others are in `enum`.
fn normalise(schema: &mut Map<String, Value>) {
    if let Some(value) = schema.remove("const") {
        schema.insert("enum".to_owned(), Value::Array(vec![value]));
    }
    let Some(variants) = schema.get("oneOf").and_then(Value::as_array) else { return };
    let mut values = Vec::new();
    for variant in variants {
        match (variant.get("const"), variant.get("enum").and_then(Value::as_array)) {
            (Some(value), _) => values.push(value.clone()),
            (None, Some(several)) => values.extend(several.clone()),
            (None, None) => return,
        }
    }
    schema.remove("oneOf");
    schema.insert("enum".to_owned(), values.into());
    schema.insert("type".to_owned(), "string".into());
}

/// The types that are allowed; none for any.
pub(super) fn types(schema: &Map<String, Value>) -> BTreeSet<String> {
    match schema.get("type") {
        Some(Value::String(one)) => BTreeSet::from([one.clone()]),
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => BTreeSet::new(),
    }
}

/// `oneOf` or `anyOf`.
pub(super) fn variants(schema: &Map<String, Value>) -> Option<&Vec<Value>> {
    ["oneOf", "anyOf"].iter().find_map(|keyword| schema.get(*keyword)).and_then(Value::as_array)
}

/// What tells a variant from the others: its constants, else its type, else its properties.
pub(super) fn key(variant: &Value, source: &Source) -> String {
    let keywords = flat(variant, source);
    if let Some(values) = keywords.get("enum") {
        return values.to_string();
    }
    let properties = keywords.get("properties").and_then(Value::as_object);
    let constants: Vec<String> = properties
        .into_iter()
        .flatten()
        .filter_map(|(name, schema)| Some(format!("{name} = {}", schema.get("const")?)))
        .collect();
    if !constants.is_empty() {
        return constants.join(", ");
    }
    if keywords.get("additionalProperties") == Some(&Value::Bool(false))
        && let Some(required) =
            keywords.get("required").filter(|list| list.as_array().is_some_and(|list| list.len() == 1))
    {
        return required.to_string();
    }
    if let Some(name) = variant.get("$ref").and_then(Value::as_str).and_then(referred) {
        return name.1;
    }
    let types: Vec<String> = types(&keywords).into_iter().collect();
    types.join(" or ")
}
