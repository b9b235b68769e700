//! YAML as JSON, which is easier to look into.

use std::{fs, path::Path};

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value};

/// Returns the text of a file of the example.
pub(crate) fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the documents of a file.
pub(crate) fn documents(name: &str) -> Vec<Value> {
    let text = read(name);
    let documents = Yaml::load_from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(!documents.is_empty(), "{name} is empty");
    documents.iter().map(value).collect()
}

fn value(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => (*value).into(),
        Yaml::Value(Scalar::Integer(value)) => (*value).into(),
        Yaml::Value(Scalar::FloatingPoint(value)) => value.into_inner().into(),
        Yaml::Value(Scalar::String(text)) => text.as_ref().into(),
        Yaml::Sequence(items) => items.iter().map(value).collect(),
        Yaml::Mapping(entries) => {
            let mut merged = Map::new();
            for (key, entry) in entries {
                let key = key.as_str().unwrap_or_else(|| panic!("a key that is no text: {key:?}"));
                match (key, value(entry)) {
                    // The rest of the mapping comes first, whatever its order.
                    ("<<", Value::Object(base)) => {
                        for (key, value) in base {
                            merged.entry(key).or_insert(value);
                        }
                    }
                    (key, value) => _ = merged.insert(key.to_owned(), value),
                }
            }
            Value::Object(merged)
        }
        // What Docker Compose does with a value, such as `!reset`; the value stays.
        Yaml::Tagged(_, inner) => value(inner),
        other => panic!("not understood: {other:?}"),
    }
}
