//! What is generated for one route.

use std::collections::BTreeMap;

use switchboard_core::{
    Contract,
    contract::{MessageContract, RpcContract, Schema},
};

use super::{
    topics,
    types::{Types, comment, key, text},
};
use crate::{
    error::Problem,
    model::{Direction, Doc, Group, Reader, Source, camel, pascal},
};

/// The names of what is generated for a route.
pub(super) struct Names {
    pub(super) api: String,
    pub(super) server: String,
    pub(super) client: String,
    pub(super) value: String,
    /// The constant with the schemas of its messages, and the function that checks by them.
    pub(super) schemas: String,
    pub(super) validate: String,
}

impl Names {
    /// `alone`: the file has no other route.
    pub(super) fn new(route: &str, alone: bool) -> Self {
        let prefix = pascal(route);
        let own = |name: &str| if alone { name.to_owned() } else { format!("{prefix}{name}") };
        let value = camel(route);
        let value = if WORDS.contains(&value.as_str()) { format!("{value}Route") } else { value };
        Self {
            api: format!("{prefix}Api"),
            server: own("ServerMessage"),
            client: own("ClientMessage"),
            value,
            schemas: format!("{}Messages", camel(route)),
            validate: format!("validate{prefix}"),
        }
    }
}

/// Words that cannot be the name of a constant.
const WORDS: [&str; 47] = [
    "arguments",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "eval",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "let",
    "new",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "undefined",
    "var",
    "void",
    "while",
];

/// Writes one route.
pub(super) struct Api<'a> {
    pub(super) index: usize,
    pub(super) source: &'a Source,
    pub(super) group: &'a Group,
    pub(super) names: &'a Names,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl Api<'_> {
    /// Its types.
    pub(super) fn types(&mut self) -> String {
        let Names { api, server, client, .. } = self.names;
        let contract = &self.source.contract;
        let mut file = format!("/** What the route `{}` and its clients send each other. */\n", contract.path);
        file += &format!("export interface {api} {{\n");
        file += &self.events("send", Direction::Inbound);
        file += &self.events("receive", Direction::Outbound);
        file += &self.rpcs("requests", Direction::Inbound);
        file += &self.rpcs("calls", Direction::Outbound);
        file += &topics::types(&contract.topics);
        file += &self.meta();
        file += "}\n\n";
        file += &self.union("The messages of the server.", server, Direction::Outbound, "meta");
        file + &self.union("The messages of a client.", client, Direction::Inbound, "meta?")
    }

    /// The type of a schema that stands outside of the definitions.
    fn type_of(&mut self, schema: Option<&Schema>, direction: Direction, owner: &str) -> String {
        let Some(schema) = schema else { return "void".to_owned() };
        let shape = Reader::new(direction, owner, self.problems).read(&crate::model::value(schema));
        let (group, unit) = (self.group, (self.index, direction));
        Types::new(&|name| group.name_of(unit, name).to_owned()).write(&shape, 4, 40)
    }

    fn events(&mut self, name: &str, direction: Direction) -> String {
        let messages = &self.source.side(direction).messages;
        let entries: Vec<String> = messages
            .iter()
            .map(|message| {
                let payload = self.type_of(message.payload.as_ref(), direction, &message.message_type);
                format!("{}    {}: {payload};\n", documented(message), key(&message.message_type))
            })
            .collect();
        section(name, &entries)
    }

    fn rpcs(&mut self, name: &str, direction: Direction) -> String {
        let rpcs = &self.source.side(direction).rpcs;
        let entries: Vec<String> = rpcs.iter().map(|rpc| self.rpc(rpc, direction)).collect();
        section(name, &entries)
    }

    fn rpc(&mut self, rpc: &RpcContract, direction: Direction) -> String {
        let tag = &rpc.request.message_type;
        let request = self.type_of(rpc.request.payload.as_ref(), direction, tag);
        let response = match &rpc.response {
            Some(response) => self.type_of(response.payload.as_ref(), direction.reverse(), &response.message_type),
            None => {
                self.problems.push(Problem::new(
                    tag,
                    "",
                    "the request does not say its response: implement \
                    `Message::response_contract`, as `#[ws_rpc]` does",
                ));
                "unknown".to_owned()
            }
        };
        let mut members = vec![format!("request: {request}"), format!("response: {response}")];
        if direction == Direction::Inbound {
            if rpc.progress.is_some() {
                members.push(format!("progress: {}", self.type_of(rpc.progress.as_ref(), direction.reverse(), tag)));
            }
            if !rpc.errors.is_empty() {
                let codes: Vec<String> = rpc.errors.iter().map(|code| text(code)).collect();
                members.push(format!("errors: {}", codes.join(" | ")));
            }
        }
        let head = format!("{}    {}: ", documented(&rpc.request), key(tag));
        let line = format!("{{ {} }}", members.join("; "));
        if line.contains('\n') || line.len() + tag.len() > 112 {
            format!(
                "{head}{{\n{}    }};\n",
                members.iter().map(|member| format!("      {member};\n")).collect::<String>()
            )
        } else {
            format!("{head}{line};\n")
        }
    }

    fn meta(&mut self) -> String {
        let mut types: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for direction in Direction::BOTH {
            let side = self.source.side(direction);
            for message in side.messages.iter().chain(side.rpcs.iter().map(|rpc| &rpc.request)) {
                if message.meta.is_some() {
                    let meta = self.type_of(message.meta.as_ref(), direction, &message.message_type);
                    let known = types.entry(message.message_type.clone()).or_default();
                    if !known.contains(&meta) {
                        known.push(meta);
                    }
                }
            }
        }
        let entries = types.iter().map(|(tag, types)| format!("    {}: {};\n", key(tag), types.join(" | ")));
        section("meta", &entries.collect::<Vec<_>>())
    }

    /// All messages of one side as a union to `switch` over. `meta`: the key where the type declares none.
    fn union(&mut self, doc: &str, name: &str, direction: Direction, meta: &str) -> String {
        let side = self.source.side(direction);
        let mut messages: Vec<&MessageContract> =
            side.messages.iter().chain(side.rpcs.iter().map(|rpc| &rpc.request)).collect();
        messages.sort_by(|a, b| a.message_type.cmp(&b.message_type));
        let variants: String = messages
            .iter()
            .map(|message| {
                let tag = &message.message_type;
                let declared = message.meta.is_some();
                let meta = match self.type_of(message.meta.as_ref(), direction, tag) {
                    own if declared => format!("meta: Meta & {own}"),
                    _ => format!("{meta}: Meta"),
                };
                let payload = match &message.payload {
                    Some(payload) => format!("; payload: {}", self.type_of(Some(payload), direction, tag)),
                    None => String::new(),
                };
                format!("\n  | {{ type: {}; {meta}{payload} }}", text(tag))
            })
            .collect();
        let variants = if variants.is_empty() { " never".to_owned() } else { variants };
        format!("/** {doc} */\nexport type {name} ={variants};\n\n")
    }
}

/// The part of a route that exists when the program runs.
pub(super) fn value(contract: &Contract) -> String {
    let mut object = format!("{{\n  path: {},\n  contract: {},\n", text(&contract.path), text(&contract.hash()));
    object += &responses("requests", &contract.inbound.rpcs);
    object += &responses("calls", &contract.outbound.rpcs);
    object + &topics::values(&contract.topics) + "}"
}

/// The documentation of a message's key.
fn documented(message: &MessageContract) -> String {
    let doc = Doc { text: message.description.clone(), deprecated: message.deprecated, ..Doc::default() };
    comment(&doc, 4)
}

/// A map in an interface.
pub(super) fn section(name: &str, entries: &[String]) -> String {
    if entries.is_empty() {
        return format!("  {name}: {{}};\n");
    }
    format!("  {name}: {{\n{}  }};\n", entries.concat())
}

/// Request types to response types.
fn responses(name: &str, rpcs: &[RpcContract]) -> String {
    let pairs: Vec<(String, String)> = rpcs
        .iter()
        .map(|rpc| (key(&rpc.request.message_type), rpc.response.as_ref().map_or("", |one| &one.message_type)))
        .map(|(request, response)| (request, text(response)))
        .collect();
    let line = pairs.iter().map(|(request, response)| format!("{request}: {response}")).collect::<Vec<_>>().join(", ");
    if pairs.is_empty() {
        format!("  {name}: {{}},\n")
    } else if line.len() < 100 {
        format!("  {name}: {{ {line} }},\n")
    } else {
        let lines: String = pairs.iter().map(|(request, response)| format!("    {request}: {response},\n")).collect();
        format!("  {name}: {{\n{lines}  }},\n")
    }
}
