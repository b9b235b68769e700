//! Validators of all types, and of all messages.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    Language, START,
    api::Names,
    types::{key, text},
};
use crate::{
    Generated,
    model::{Direction, Group, Source, camel, referred},
};

/// The functions that all validators share, behind the types of what is exported.
const RUNTIME: &str = include_str!("validators.ts");

/// The same in JavaScript. Built from it by `typescript/scripts/standalone.mjs`.
const RUNTIME_JS: &str = include_str!("standalone/validators.js");

/// The first line in `RUNTIME` behind the types of what is exported.
const PRIVATE: &str = "/** The part of JSON Schema that the contract has. */";

/// Keywords that are checked as they are.
const KEYWORDS: [&str; 15] = [
    "type",
    "const",
    "enum",
    "required",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "properties",
    "prefixItems",
];

/// A file with a validator for each type, and a function for each route that checks its messages. `types`: the module
/// with the types.
pub(super) fn file(group: &Group, routes: &[(&Source, &Names)], types: &str, language: Language) -> Generated {
    let classes: Vec<_> = group.classes().collect();
    // Under one name, since a type may have any name.
    let import = format!("\nimport type * as types from {};\n", text(types));
    let import = if classes.is_empty() { "" } else { &import };
    let (mut code, mut declarations) = (String::new(), format!("{START}{import}\n"));
    let typed = |annotation: &str| if language == Language::TypeScript { annotation.to_owned() } else { String::new() };
    for class in classes {
        let name = &class.name;
        let refer = |direction: Direction, rust: &str| constant(group.name_of((class.unit.0, direction), rust));
        let schema = literal(&Value::Object(checked(&class.schema, class.sender())), 0, &refer);
        code += &format!("\nconst {}{} = {schema};\n", constant(name), typed(": Schema"));
        code += &format!(
            "export const {name}Validator{} = /* @__PURE__ */ validator(() => {});\n",
            typed(&format!(": Validator<types.{name}>")),
            constant(name)
        );
        declarations += &format!("export declare const {name}Validator: Validator<types.{name}>;\n");
    }
    for (index, (source, names)) in routes.iter().enumerate() {
        let [schemas, function] = [&names.schemas, &names.validate];
        let doc = format!("/** For the option `validate` of a client of `{}`. */\n", source.contract.path);
        code += &format!("\nconst {schemas}{} = {{\n", typed(": Messages"));
        for (key, sender) in [("send", Direction::Inbound), ("receive", Direction::Outbound)] {
            code += &messages(key, source, index, sender, group);
        }
        code += "};\n\n";
        code += &match language {
            Language::TypeScript => format!(
                "{doc}export function {function}(type: string, payload: unknown, direction: \"send\" | \"receive\"): \
                 MessageIssue[] | undefined {{\n  return checkMessage({schemas}[direction], type, payload);\n}}\n"
            ),
            Language::JavaScript => format!(
                "{doc}export function {function}(type, payload, direction) {{\n  return checkMessage({schemas}[direction], \
                 type, payload);\n}}\n"
            ),
        };
        declarations += &format!(
            "\n{doc}export declare function {function}(\n  type: string,\n  payload: unknown,\n  direction: \"send\" | \
             \"receive\",\n): MessageIssue[] | undefined;\n"
        );
    }
    match language {
        Language::TypeScript => Generated::new(format!("{START}{import}{code}\n{RUNTIME}")),
        Language::JavaScript => {
            let (public, _) = RUNTIME.split_once(PRIVATE).unwrap_or((RUNTIME, ""));
            Generated::new(format!("{START}{code}\n{RUNTIME_JS}"))
                .with_declarations(declarations + "\n" + public.trim_end() + "\n")
        }
    }
}

/// The schemas of the payloads that one side sends, by message type.
fn messages(key: &str, source: &Source, index: usize, sender: Direction, group: &Group) -> String {
    let (side, other) = (source.side(sender), source.side(sender.reverse()));
    let all = side.messages.iter().chain(side.rpcs.iter().map(|rpc| &rpc.request));
    let all = all.chain(other.rpcs.iter().filter_map(|rpc| rpc.response.as_ref()));
    let refer = |direction: Direction, rust: &str| constant(group.name_of((index, direction), rust));
    let entries: BTreeMap<&str, String> = all
        .filter_map(|message| {
            let payload = crate::model::value(message.payload.as_ref()?);
            Some((&*message.message_type, literal(&Value::Object(checked(&payload, sender)), 4, &refer)))
        })
        .collect();
    let entries: String = entries.iter().map(|(tag, schema)| format!("    {}: {schema},\n", self::key(tag))).collect();
    if entries.is_empty() { format!("  {key}: {{}},\n") } else { format!("  {key}: {{\n{entries}  }},\n") }
}

/// The name of the constant with the schema of a type.
fn constant(name: &str) -> String {
    format!("{}Schema", camel(name))
}

/// The keywords that are checked. Fields that the server adds later are no mistake.
fn checked(schema: &Value, sender: Direction) -> Map<String, Value> {
    let Value::Object(keywords) = schema else { return Map::new() };
    let mut kept = Map::new();
    for (keyword, value) in keywords {
        let nested = |value: &Value| -> Value { checked(value, sender).into() };
        let list = |value: &Value| -> Value { value.as_array().into_iter().flatten().map(nested).collect() };
        match keyword.as_str() {
            "$ref" => _ = kept.insert("ref".to_owned(), value.clone()),
            "properties" => {
                let all = value.as_object().into_iter().flatten();
                let all = all.map(|(name, schema)| (name.clone(), nested(schema)));
                kept.insert(keyword.clone(), all.collect::<Map<_, _>>().into());
            }
            "items" => _ = kept.insert(keyword.clone(), nested(value)),
            "prefixItems" | "allOf" | "anyOf" => _ = kept.insert(keyword.clone(), list(value)),
            "oneOf" => _ = kept.insert("anyOf".to_owned(), list(value)),
            // In a map with keys of a certain form, nothing else may be.
            "additionalProperties" if keywords.contains_key("patternProperties") => {}
            "additionalProperties" if *value == Value::Bool(false) && sender == Direction::Inbound => {
                kept.insert("others".to_owned(), false.into());
            }
            "additionalProperties" => _ = kept.insert("others".to_owned(), nested(value)),
            "patternProperties" => {
                if let Some(value) = value.as_object().and_then(|all| all.values().next()) {
                    kept.insert("others".to_owned(), nested(value));
                }
            }
            name if KEYWORDS.contains(&name) => _ = kept.insert(keyword.clone(), value.clone()),
            _ => {}
        }
    }
    kept
}

/// A schema as an object literal. Unlike JSON, it refers to others by functions.
fn literal(value: &Value, indent: usize, refer: &dyn Fn(Direction, &str) -> String) -> String {
    let margin = " ".repeat(indent + 2);
    let line = |parts: Vec<String>, open: &str, close: &str| {
        let flat = format!("{open} {} {close}", parts.join(", "));
        if parts.is_empty() {
            format!("{open}{close}")
        } else if flat.len() + indent < 100 && !flat.contains('\n') {
            if open == "[" { format!("[{}]", parts.join(", ")) } else { flat }
        } else {
            let parts: String = parts.iter().map(|part| format!("{margin}{part},\n")).collect();
            format!("{open}\n{parts}{}{close}", " ".repeat(indent))
        }
    };
    match value {
        Value::Array(items) => line(items.iter().map(|item| literal(item, indent + 2, refer)).collect(), "[", "]"),
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(name, _)| name.as_str());
            let entry = |(name, value): (&String, &Value)| {
                let target = value.as_str().filter(|_| name == "ref").and_then(referred);
                match target {
                    Some((direction, rust)) => format!("ref: () => {}", refer(direction, &rust)),
                    None => format!("{}: {}", key(name), literal(value, indent + 2, refer)),
                }
            };
            line(entries.into_iter().map(entry).collect(), "{", "}")
        }
        value => value.to_string(),
    }
}
