//! The operations of a channel with their messages.

use serde_json::{Map, Value, json};
use switchboard_core::contract::{MessageContract, RpcContract};

use super::{
    asyncapi::identifier,
    draft7,
    example::example,
    frame::{self, FrameKind, Rename},
};
use crate::model::{Direction, Source, value};

/// The type tag of progress.
const PROGRESS: &str = "$ws:rpc-progress";

/// What a route adds to the document.
pub(super) struct Operations<'a> {
    source: &'a Source,
    rename: Rename<'a>,
    schemas: &'a Map<String, Value>,
    /// References of the channel to its messages.
    pub(super) channel: Map<String, Value>,
    pub(super) operations: Map<String, Value>,
    pub(super) messages: Map<String, Value>,
}

impl<'a> Operations<'a> {
    pub(super) fn of(source: &'a Source, rename: Rename<'a>, schemas: &'a Map<String, Value>) -> Self {
        let mut all =
            Operations { source, rename, schemas, channel: Map::new(), operations: Map::new(), messages: Map::new() };
        for direction in Direction::BOTH {
            let side = source.side(direction);
            for message in &side.messages {
                let id = all.message(message, FrameKind::Event, direction);
                all.operation(message, direction, &id, None);
            }
            for rpc in &side.rpcs {
                let id = all.message(&rpc.request, FrameKind::Request, direction);
                let reply = all.reply(rpc, direction);
                all.operation(&rpc.request, direction, &id, Some(reply));
            }
        }
        let id = all.error("ERROR", "An error that answers no request.", FrameKind::Event, &[]);
        let errors = json!({
            "action": "send",
            "channel": all.channel_reference(),
            "messages": [all.message_reference(&id)],
        });
        let name = all.unused("send.ERROR");
        all.operations.insert(name, errors);
        all
    }

    fn reply(&mut self, rpc: &RpcContract, direction: Direction) -> Value {
        let back = direction.reverse();
        let mut ids = Vec::new();
        if let Some(response) = &rpc.response {
            ids.push(self.message(response, FrameKind::Reply, back));
        }
        let tag = &rpc.request.message_type;
        if let Some(progress) = &rpc.progress {
            let progress = frame::renamed(&value(progress), self.rename);
            let meta = frame::meta(FrameKind::Reply, back, None);
            // Both keys have the value: clients of other makes read `data`.
            let mut payload =
                frame::in_envelope(&self.source.contract.envelope, PROGRESS, &meta, Some(progress.clone()));
            payload["properties"]["data"] = progress;
            ids.push(self.add(&format!("{tag}.progress"), PROGRESS, "Progress, before the response.", &payload, true));
        }
        let doc = "The request failed.";
        ids.push(self.error(&format!("{tag}.RPC_ERROR"), doc, FrameKind::Reply, &rpc.errors));
        let messages: Vec<Value> = ids.iter().map(|id| self.message_reference(id)).collect();
        json!({ "channel": self.channel_reference(), "messages": messages })
    }

    fn error(&mut self, id: &str, doc: &str, kind: FrameKind, own: &[String]) -> String {
        let codes: Vec<&str> = self.source.contract.errors.iter().map(|error| error.code.as_str()).collect();
        let tag = if kind == FrameKind::Reply { "RPC_ERROR" } else { "ERROR" };
        let meta = frame::meta(kind, Direction::Outbound, None);
        let error = frame::error_payload(&codes, own);
        let payload = frame::in_envelope(&self.source.contract.envelope, tag, &meta, Some(error));
        self.add(id, tag, doc, &payload, kind == FrameKind::Reply)
    }

    /// A message, once for each kind of frame. Returns its name in the channel.
    fn message(&mut self, message: &MessageContract, kind: FrameKind, direction: Direction) -> String {
        let style = &self.source.contract.envelope;
        let payload = frame::of_message(style, message, kind, direction, self.rename);
        let side = if direction == Direction::Inbound { "client" } else { "server" };
        let suffix = if kind == FrameKind::Reply { ".reply" } else { "" };
        let id = format!("{side}.{}{suffix}", message.message_type);
        let doc = message.description.as_deref().unwrap_or_default();
        let correlated = kind != FrameKind::Event;
        let name = self.add(&id, &message.message_type, doc, &payload, correlated);
        if message.deprecated {
            let component = self.component(&name);
            self.messages[&component]["x-switchboard-deprecated"] = json!(true);
        }
        name
    }

    fn add(&mut self, id: &str, tag: &str, doc: &str, payload: &Value, correlated: bool) -> String {
        let payload = draft7::convert(payload);
        let mut message = json!({ "name": tag, "title": tag, "contentType": "application/json" });
        if !doc.is_empty() {
            message["summary"] = doc.into();
        }
        if correlated {
            message["correlationId"] = json!({ "$ref": "#/components/correlationIds/request" });
        }
        let resolve = |reference: &str| self.schemas.get(reference.rsplit('/').next()?).cloned();
        if let Some(example) = example(&payload, &resolve) {
            message["examples"] = json!([{ "name": identifier(id), "payload": example }]);
        }
        message["payload"] = payload;
        // Type tags that differ in other characters only.
        let mut name = identifier(id);
        let mut number = 2;
        loop {
            let component = self.component(&name);
            match self.messages.get(&component) {
                Some(known) if *known != message => {
                    name = format!("{}-{number}", identifier(id));
                    number += 1;
                }
                _ => {
                    let reference = json!({ "$ref": format!("#/components/messages/{component}") });
                    self.messages.insert(component, message);
                    self.channel.insert(name.clone(), reference);
                    return name;
                }
            }
        }
    }

    fn operation(&mut self, message: &MessageContract, direction: Direction, id: &str, reply: Option<Value>) {
        let action = if direction == Direction::Inbound { "receive" } else { "send" };
        let mut operation = json!({
            "action": action,
            "channel": self.channel_reference(),
            "messages": [self.message_reference(id)],
        });
        if let Some(doc) = &message.description {
            operation["summary"] = doc.as_str().into();
        }
        if let Some(reply) = reply {
            operation["reply"] = reply;
        }
        let name = self.unused(&format!("{action}.{}", message.message_type));
        self.operations.insert(name, operation);
    }

    /// A name for an operation, which no other has.
    fn unused(&self, name: &str) -> String {
        let name = format!("{}.{}", identifier(&self.source.name), identifier(name));
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let mut names = std::iter::once(name.clone()).chain(numbered);
        names.find(|name| !self.operations.contains_key(name)).unwrap_or(name)
    }

    fn component(&self, name: &str) -> String {
        format!("{}.{name}", identifier(&self.source.name))
    }

    fn channel_reference(&self) -> Value {
        json!({ "$ref": format!("#/channels/{}", identifier(&self.source.name)) })
    }

    fn message_reference(&self, id: &str) -> Value {
        json!({ "$ref": format!("#/channels/{}/messages/{id}", identifier(&self.source.name)) })
    }
}
