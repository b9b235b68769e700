//! From a JSON Schema to a shape.

use serde_json::{Map, Value};

use super::{
    Direction, Doc, Object, Property, Shape, integer,
    source::{referred, schemas},
};
use crate::error::Problem;

/// Items of an array of fixed length up to which it is a tuple.
const MAX_TUPLE: u64 = 8;

/// How deep schemas may be nested in each other. Those of Rust types are nested a few levels.
const MAX_DEPTH: usize = 64;

/// Reads schemas of one side.
pub(crate) struct Reader<'a> {
    pub(crate) direction: Direction,
    /// The Rust type, or what else the schema belongs to.
    pub(crate) owner: &'a str,
    pub(crate) problems: &'a mut Vec<Problem>,
    path: Vec<String>,
    /// Whether a schema around this one declares its integers safe.
    declared: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(direction: Direction, owner: &'a str, problems: &'a mut Vec<Problem>) -> Self {
        Self { direction, owner, problems, path: Vec::new(), declared: false }
    }

    pub(crate) fn read(&mut self, schema: &Value) -> Shape {
        let outer = self.declared;
        self.declared |= integer::is_declared(schema);
        let shape = self.read_one(schema);
        self.declared = outer;
        shape
    }

    fn read_one(&mut self, schema: &Value) -> Shape {
        let keywords = match schema {
            Value::Bool(true) => return Shape::Unknown,
            Value::Bool(false) => return Shape::Never,
            Value::Object(keywords) => keywords,
            _ => return self.refuse("the schema is neither an object nor a boolean"),
        };
        if self.path.len() > MAX_DEPTH {
            return self.refuse("the schema is nested too deeply");
        }
        let mut parts = Vec::new();
        if let Some(reference) = keywords.get("$ref").and_then(Value::as_str) {
            parts.push(match referred(reference) {
                Some((direction, name)) if direction == self.direction => Shape::Named(name),
                _ => self.refuse(&format!("`$ref` to `{reference}` does not lead to a definition of this side")),
            });
        }
        if let Some(literal) = keywords.get("const") {
            return Shape::Literal(literal.to_string());
        }
        if let Some(values) = schemas(keywords, "enum") {
            return Shape::any_of(values.iter().map(|value| match value {
                Value::Null => Shape::Null,
                value => Shape::Literal(value.to_string()),
            }));
        }
        parts.extend(self.by_type(keywords));
        for keyword in ["oneOf", "anyOf"] {
            if let Some(variants) = schemas(keywords, keyword) {
                parts.push(Shape::any_of(self.each(variants)));
            }
        }
        if let Some(all) = schemas(keywords, "allOf") {
            parts.extend(self.each(all));
        }
        Shape::all_of(parts)
    }

    fn each(&mut self, schemas: &[Value]) -> Vec<Shape> {
        schemas.iter().map(|schema| self.nested("", schema)).collect()
    }

    fn nested(&mut self, name: &str, schema: &Value) -> Shape {
        self.path.push(name.to_owned());
        let shape = self.read(schema);
        self.path.pop();
        shape
    }

    /// By `type`, or by the keywords that only one type has.
    fn by_type(&mut self, schema: &Map<String, Value>) -> Option<Shape> {
        let types: Vec<&str> = match schema.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ if schema.contains_key("properties") => vec!["object"],
            _ => return None,
        };
        Some(Shape::any_of(types.into_iter().map(|one| self.one_type(one, schema)).collect::<Vec<_>>()))
    }

    fn one_type(&mut self, name: &str, schema: &Map<String, Value>) -> Shape {
        match name {
            "null" => Shape::Null,
            "boolean" => Shape::Boolean,
            "number" => Shape::Number,
            "integer" if self.declared || integer::is_safe(schema) => Shape::Number,
            "integer" => self.refuse(&integer::fixes(schema)),
            "string" => Shape::String,
            "array" => self.array(schema),
            "object" => self.object(schema),
            other => self.refuse(&format!("`{other}` is no type of JSON Schema")),
        }
    }

    fn array(&mut self, schema: &Map<String, Value>) -> Shape {
        if let Some(items) = schemas(schema, "prefixItems") {
            let items = items.iter().enumerate();
            return Shape::Tuple(items.map(|(at, item)| self.nested(&format!("[{at}]"), item)).collect());
        }
        let item = schema.get("items").map_or(Shape::Unknown, |item| self.nested("[]", item));
        let length = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
        match (length("minItems"), length("maxItems")) {
            (Some(least), Some(most)) if least == most && (1..=MAX_TUPLE).contains(&most) => {
                Shape::Tuple((0..most).map(|_| item.clone()).collect())
            }
            _ => Shape::Array(Box::new(item)),
        }
    }

    fn object(&mut self, schema: &Map<String, Value>) -> Shape {
        let required: Vec<&str> =
            schemas(schema, "required").unwrap_or_default().iter().filter_map(Value::as_str).collect();
        let mut properties = Vec::new();
        for (name, value) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            // A property that is skipped.
            if *value == Value::Bool(false) {
                continue;
            }
            let shape = self.nested(name, value);
            properties.push(Property {
                name: name.clone(),
                shape,
                optional: !required.contains(&name.as_str()),
                doc: doc(value),
            });
        }
        // As they are declared, where the schema says it; the order of keys depends on features of serde_json.
        let place = |name: &str| required.iter().position(|required| *required == name).unwrap_or(usize::MAX);
        properties.sort_by(|a, b| (place(&a.name), &a.name).cmp(&(place(&b.name), &b.name)));
        let others = self.others(schema);
        if properties.is_empty() && others.is_none() && !schema.contains_key("properties") && is_bare(schema) {
            return Shape::Object(Object { properties, others: Some(Box::new(Shape::Unknown)) });
        }
        Shape::Object(Object { properties, others: others.map(Box::new) })
    }

    /// The shape of properties that are not named.
    fn others(&mut self, schema: &Map<String, Value>) -> Option<Shape> {
        let mut shapes = Vec::new();
        for keyword in ["additionalProperties", "unevaluatedProperties"] {
            match schema.get(keyword) {
                None | Some(Value::Bool(false)) => {}
                Some(value) => shapes.push(self.nested("{}", value)),
            }
        }
        for value in schema.get("patternProperties").and_then(Value::as_object).into_iter().flat_map(|all| all.values())
        {
            shapes.push(self.nested("{}", value));
        }
        (!shapes.is_empty()).then(|| Shape::any_of(shapes))
    }

    fn refuse(&mut self, reason: &str) -> Shape {
        let mut field = String::new();
        for part in self.path.iter().filter(|part| !part.is_empty()) {
            if !field.is_empty() && !part.starts_with('[') && !part.starts_with('{') {
                field.push('.');
            }
            field.push_str(part);
        }
        self.problems.push(Problem::new(self.owner, &field, reason));
        Shape::Unknown
    }
}

/// Whether nothing else says what the object has.
fn is_bare(schema: &Map<String, Value>) -> bool {
    !["$ref", "oneOf", "anyOf", "allOf", "additionalProperties", "unevaluatedProperties"]
        .iter()
        .any(|keyword| schema.contains_key(*keyword))
}

/// The documentation of a schema.
pub(crate) fn doc(schema: &Value) -> Doc {
    let text = |keyword: &str| schema.get(keyword).and_then(Value::as_str).map(str::to_owned);
    Doc {
        text: text("description"),
        deprecated: schema.get("deprecated") == Some(&Value::Bool(true)),
        format: text("format").filter(|_| schema.get("type") == Some(&Value::from("string"))),
        default: schema.get("default").filter(|value| !value.is_null()).map(Value::to_string),
    }
}
