//! Schemas of draft 2020-12 in the words of draft 7, which AsyncAPI knows.

use serde_json::{Map, Value, json};

/// Keywords whose value is an object of schemas by name.
const MAPS: [&str; 2] = ["patternProperties", "properties"];

/// Keywords whose value is no schema.
const VALUES: [&str; 5] = ["const", "default", "enum", "examples", "required"];

/// The same schema. Where draft 7 has no words, it allows more.
pub(super) fn convert(schema: &Value) -> Value {
    let Value::Object(keywords) = schema else {
        return match schema {
            Value::Array(schemas) => schemas.iter().map(convert).collect(),
            schema => schema.clone(),
        };
    };
    let mut converted = Map::new();
    for (keyword, value) in keywords {
        match keyword.as_str() {
            "prefixItems" => {
                converted.insert("items".to_owned(), convert(value));
                converted.insert("additionalItems".to_owned(), json!(false));
            }
            // Beside `prefixItems`, it is about the items behind them.
            "items" if keywords.contains_key("prefixItems") => {}
            "unevaluatedProperties" => {}
            name if VALUES.contains(&name) => _ = converted.insert(keyword.clone(), value.clone()),
            name if MAPS.contains(&name) => {
                let schemas = value.as_object().into_iter().flatten();
                let schemas = schemas.map(|(name, schema)| (name.clone(), convert(schema)));
                converted.insert(keyword.clone(), schemas.collect::<Map<_, _>>().into());
            }
            _ => _ = converted.insert(keyword.clone(), convert(value)),
        }
    }
    // In draft 7, nothing beside `$ref` counts.
    if converted.len() > 1
        && let Some(reference) = converted.remove("$ref")
    {
        let all = converted.entry("allOf").or_insert_with(|| json!([]));
        if let Value::Array(all) = all {
            all.insert(0, json!({ "$ref": reference }));
        }
    }
    converted.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_draft_7() {
        assert_eq!(
            convert(&json!({ "prefixItems": [true, { "type": "string" }], "minItems": 2 })),
            json!({ "items": [true, { "type": "string" }], "additionalItems": false, "minItems": 2 })
        );
        assert_eq!(
            convert(&json!({ "$ref": "#/a", "properties": { "$ref": { "type": "null" } } })),
            json!({ "allOf": [{ "$ref": "#/a" }], "properties": { "$ref": { "type": "null" } } })
        );
        assert_eq!(convert(&json!({ "$ref": "#/a" })), json!({ "$ref": "#/a" }));
    }
}
