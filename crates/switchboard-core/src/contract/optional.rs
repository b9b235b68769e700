//! Fields that are left out instead of being `null`.

use serde_json::{Map, Value};

use super::{
    annotations::{MAPS, VALUES},
    schemas::Direction,
};

/// The mark that the attributes put on such a field.
const MARK: &str = "x-never-null";

/// Removes the marks and, from what the server sends, the `null` that it never writes there. Clients may still send it.
pub(super) fn resolve(schema: &mut Value, direction: Direction) {
    match schema {
        Value::Object(keywords) => {
            if keywords.remove(MARK).is_some() && direction == Direction::Outbound {
                remove_null(keywords);
            }
            for (keyword, value) in keywords.iter_mut() {
                match value {
                    Value::Object(schemas) if MAPS.contains(&keyword.as_str()) => {
                        schemas.values_mut().for_each(|schema| resolve(schema, direction));
                    }
                    _ if VALUES.contains(&keyword.as_str()) => {}
                    schema => resolve(schema, direction),
                }
            }
        }
        Value::Array(schemas) => schemas.iter_mut().for_each(|schema| resolve(schema, direction)),
        _ => {}
    }
}

/// Takes `null` out of each form in which schemars writes an `Option`.
fn remove_null(keywords: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = keywords.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            keywords.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = keywords.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    let Some(Value::Array(schemas)) = keywords.get_mut("anyOf") else { return };
    schemas.retain(|schema| schema.get("type").is_none_or(|name| name != "null"));
    // An `Option` adds `null` to one schema, which needs no `anyOf` without it.
    if let [Value::Object(only)] = &schemas[..] {
        let only = only.clone();
        if only.keys().all(|keyword| !keywords.contains_key(keyword)) {
            keywords.remove("anyOf");
            keywords.extend(only);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolved(mut schema: Value, direction: Direction) -> Value {
        resolve(&mut schema, direction);
        schema
    }

    #[test]
    fn null_goes_from_what_the_server_sends() {
        let schema = json!({
            "type": "object",
            "properties": {
                "name": { "type": ["string", "null"], "minLength": 1, "x-never-null": true },
                "kind": { "anyOf": [{ "$ref": "#/a" }, { "type": "null" }], "description": "A.", "x-never-null": true },
                "size": { "type": ["string", "null"], "enum": ["s", null], "x-never-null": true },
                "other": { "type": ["string", "null"] },
                "x-never-null": { "const": { "x-never-null": true } },
            },
        });
        assert_eq!(
            resolved(schema.clone(), Direction::Outbound)["properties"],
            json!({
                "name": { "type": "string", "minLength": 1 },
                "kind": { "$ref": "#/a", "description": "A." },
                "size": { "type": "string", "enum": ["s"] },
                "other": { "type": ["string", "null"] },
                "x-never-null": { "const": { "x-never-null": true } },
            })
        );
        let inbound = resolved(schema, Direction::Inbound);
        assert_eq!(inbound["properties"]["name"], json!({ "type": ["string", "null"], "minLength": 1 }));
        assert_eq!(inbound["properties"]["kind"]["anyOf"][1], json!({ "type": "null" }));
    }
}
