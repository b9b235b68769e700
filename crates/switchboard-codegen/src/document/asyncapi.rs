//! AsyncAPI 3.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use switchboard_core::Contract;

use super::{draft7, frame, json_schema::pretty, operations::Operations};
use crate::{
    Generated,
    model::{Direction, Group, Source, pascal},
    route_name,
};

/// Generates a document of AsyncAPI 3.0.0 for one or more routes.
///
/// Each route is a channel. Each message is an operation of the server: `receive` for what clients send, `send` for
/// what the server sends. The reply of a request has its response, its progress and its error, on the same channel.
///
/// ```
/// # use switchboard_core::Contract;
/// use switchboard_codegen::AsyncApi;
///
/// # fn chat() -> Contract {
/// #     let side = r#"{ "messages": [], "rpcs": [], "$defs": {} }"#;
/// #     serde_json::from_str(&format!(
/// #         r#"{{ "path": "/chat", "envelope": "standard", "protocols": [], "inbound": {side}, "outbound": {side}, "errors": [] }}"#
/// #     )).unwrap()
/// # }
/// let document = AsyncApi::new("Chat", "1.0.0").route("chat", &chat()).generate();
/// assert!(document.as_str().contains(r#""address": "/chat""#));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct AsyncApi {
    title: String,
    version: String,
    sources: Vec<Source>,
}

impl AsyncApi {
    /// Creates a generator without routes. `title` and `version` are those of the application.
    pub fn new(title: &str, version: &str) -> Self {
        Self { title: title.to_owned(), version: version.to_owned(), sources: Vec::new() }
    }

    /// Adds a route as a channel of this name.
    pub fn route(mut self, name: &str, contract: &Contract) -> Self {
        self.sources.push(Source::new(name, contract));
        self
    }

    /// Generates the document, as JSON.
    #[must_use]
    pub fn generate(&self) -> Generated {
        let group = Group::new(&self.sources, &BTreeSet::new(), &mut Vec::new());
        let mut schemas = Map::new();
        for class in group.classes() {
            let route = class.unit.0;
            let rename = |direction: Direction, name: &str| pointer(group.name_of((route, direction), name));
            schemas.insert(class.name.clone(), draft7::convert(&frame::renamed(&class.schema, &rename)));
        }
        let mut channels = Map::new();
        let mut operations = Map::new();
        let mut messages = Map::new();
        for (route, source) in self.sources.iter().enumerate() {
            let rename = |direction: Direction, name: &str| pointer(group.name_of((route, direction), name));
            let found = Operations::of(source, &rename, &schemas);
            channels.insert(identifier(&source.name), channel(source, &found.channel));
            operations.extend(found.operations);
            messages.extend(found.messages);
        }
        pretty(&json!({
            "asyncapi": "3.0.0",
            "info": { "title": self.title, "version": self.version },
            "defaultContentType": "application/json",
            "channels": channels,
            "operations": operations,
            "components": {
                "messages": messages,
                "schemas": schemas,
                "correlationIds": {
                    "request": {
                        "description": "The same in a request and in everything that answers it.",
                        "location": "$message.payload#/meta/correlationId",
                    },
                },
            },
        }))
    }
}

/// Generates the document of one route: see [`AsyncApi`].
#[must_use]
pub fn asyncapi(contract: &Contract) -> Generated {
    let name = route_name(&contract.path);
    AsyncApi::new(&pascal(name), "1.0.0").route(name, contract).generate()
}

fn pointer(name: &str) -> String {
    format!("#/components/schemas/{name}")
}

/// A name for `channels`, `operations` and `components`: letters, digits, `.`, `-` and `_`.
pub(super) fn identifier(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    name.chars().map(|c| if allowed(c) { c } else { '_' }).collect()
}

fn channel(source: &Source, messages: &Map<String, Value>) -> Value {
    let contract = &source.contract;
    let mut channel = json!({
        "address": contract.path,
        "messages": messages,
        "bindings": { "ws": { "method": "GET", "bindingVersion": "0.1.0" } },
        "x-switchboard-contract": contract.hash(),
        "x-switchboard-subprotocols": contract.protocols,
        "x-switchboard-close-codes": close_codes(),
        "x-switchboard-errors": contract.errors,
    });
    let parameters = parameters(&contract.path);
    if !parameters.is_empty() {
        channel["parameters"] = parameters.into();
    }
    if !contract.topics.is_empty() {
        channel["x-switchboard-topics"] = json!(contract.topics);
    }
    if !contract.limits.is_empty() {
        channel["x-switchboard-limits"] = json!(contract.limits);
    }
    channel
}

/// Those of a path such as `/ws/{room}`.
fn parameters(path: &str) -> Map<String, Value> {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    names.map(|name| (name.trim_start_matches('*').to_owned(), json!({}))).collect()
}

fn close_codes() -> Value {
    json!({
        "1000": "normal",
        "1001": "the server stops; reconnect",
        "1002": "protocol error",
        "1003": "unsupported data",
        "1007": "not UTF-8",
        "1008": "policy: authentication, heartbeat, or too many bad messages",
        "1009": "message too big",
        "1011": "the connection could not be set up; reconnect",
        "1012": "the server restarts; reconnect",
        "1013": "overloaded; reconnect",
        "4001": "the token expired; reconnect with a new one",
        "4002": "slow consumer; reconnect",
        "4003": "gap; reconnect",
        "4006": "rate limit; reconnect",
        "4401": "not authenticated",
        "4403": "not allowed",
        "4503": "disconnected by the application",
        "4504": "too many connections",
        "4505": "replaced by a newer connection",
        "4507": "too many subscriptions",
    })
}
