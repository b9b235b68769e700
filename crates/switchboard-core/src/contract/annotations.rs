//! Annotations of schemas: what a schema says about its values without a limit for them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{MessageContract, RpcContract, Schema, Side};

/// Keywords that change no value's validity.
const ANNOTATIONS: [&str; 5] = ["$comment", "deprecated", "description", "examples", "title"];

/// Keywords whose value is an object of schemas by name.
pub(super) const MAPS: [&str; 4] = ["$defs", "dependentSchemas", "patternProperties", "properties"];

/// Keywords whose value is no schema.
pub(super) const VALUES: [&str; 4] = ["const", "default", "enum", "required"];

impl Side {
    /// The same without descriptions and deprecations.
    pub(super) fn without_annotations(&self) -> Self {
        Self {
            messages: self.messages.iter().map(MessageContract::without_annotations).collect(),
            rpcs: self.rpcs.iter().map(RpcContract::without_annotations).collect(),
            definitions: self.definitions.iter().map(|(name, schema)| (name.clone(), strip_schema(schema))).collect(),
        }
    }
}

impl MessageContract {
    /// Takes over the description of its payload, which may be among these definitions.
    pub(super) fn annotate_from(&mut self, definitions: &BTreeMap<String, Schema>) {
        let Some(Schema(payload)) = &self.payload else { return };
        let name = payload.get("$ref").and_then(Value::as_str).and_then(|target| target.rsplit('/').next());
        let named = name.and_then(|name| definitions.get(name));
        let schema = named.map_or(payload, |schema| &schema.0).clone();
        self.annotate(&schema);
    }

    /// Takes over the description of the schema of its type.
    pub(super) fn annotate(&mut self, schema: &Value) {
        self.description = schema.get("description").and_then(Value::as_str).map(str::to_owned);
        self.deprecated = schema.get("deprecated") == Some(&Value::Bool(true));
    }

    fn without_annotations(&self) -> Self {
        Self {
            message_type: self.message_type.clone(),
            description: None,
            deprecated: false,
            payload: self.payload.as_ref().map(strip_schema),
            meta: self.meta.as_ref().map(strip_schema),
            allow_unknown: self.allow_unknown,
        }
    }
}

impl RpcContract {
    fn without_annotations(&self) -> Self {
        Self {
            request: self.request.without_annotations(),
            response: self.response.as_ref().map(MessageContract::without_annotations),
            progress: self.progress.as_ref().map(strip_schema),
            errors: self.errors.clone(),
        }
    }
}

fn strip_schema(Schema(schema): &Schema) -> Schema {
    Schema(strip(schema))
}

fn strip(schema: &Value) -> Value {
    match schema {
        Value::Object(keywords) => {
            let kept = keywords.iter().filter(|(keyword, _)| !ANNOTATIONS.contains(&keyword.as_str()));
            kept.map(|(keyword, value)| (keyword.clone(), strip_keyword(keyword, value))).collect::<Map<_, _>>().into()
        }
        Value::Array(schemas) => schemas.iter().map(strip).collect(),
        value => value.clone(),
    }
}

fn strip_keyword(keyword: &str, value: &Value) -> Value {
    match value {
        Value::Object(schemas) if MAPS.contains(&keyword) => {
            schemas.iter().map(|(name, schema)| (name.clone(), strip(schema))).collect::<Map<_, _>>().into()
        }
        value if VALUES.contains(&keyword) => value.clone(),
        value => strip(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn annotations_go_and_values_stay() {
        let schema = json!({
            "description": "A room.",
            "properties": { "description": { "type": "string", "title": "Text" } },
            "oneOf": [{ "const": { "title": 1 }, "description": "One." }],
            "default": { "description": "x" },
            "items": { "description": "An item.", "type": "object", "properties": { "title": { "title": "T" } } },
            "additionalProperties": { "title": "Any", "not": { "description": "None." } },
            "$defs": { "title": { "description": "A definition.", "enum": ["description"] } },
        });
        assert_eq!(
            strip(&schema),
            json!({
                "properties": { "description": { "type": "string" } },
                "oneOf": [{ "const": { "title": 1 } }],
                "default": { "description": "x" },
                "items": { "type": "object", "properties": { "title": {} } },
                "additionalProperties": { "not": {} },
                "$defs": { "title": { "enum": ["description"] } },
            })
        );
    }
}
