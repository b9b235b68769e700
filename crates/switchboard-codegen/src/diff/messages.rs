//! Messages, requests and topics of two contracts.

use serde_json::Value;
use switchboard_core::{
    Contract,
    contract::{MessageContract, RpcContract, Schema, Side},
};

use super::{
    change::{Change, Sender},
    schemas::Schemas,
};
use crate::model::{Direction, Source, value};

/// Both.
pub(super) struct Contracts {
    old: Source,
    new: Source,
    changes: Vec<Change>,
}

impl Contracts {
    pub(super) fn new(old: &Contract, new: &Contract) -> Self {
        Self { old: Source::new("old", old), new: Source::new("new", new), changes: Vec::new() }
    }

    pub(super) fn compare(mut self) -> Vec<Change> {
        self.route();
        for direction in Direction::BOTH {
            let (old, new) = (self.old.side(direction).clone(), self.new.side(direction).clone());
            self.events(&old, &new, direction);
            self.requests(&old, &new, direction);
        }
        self.topics();
        self.limits();
        self.changes
    }

    fn add(&mut self, breaks: bool, sender: impl Into<Sender>, path: &str, text: impl Into<String>) {
        self.changes.push(Change::new(breaks, sender.into(), path, text));
    }

    fn route(&mut self) {
        let (old, new) = (self.old.contract.clone(), self.new.contract.clone());
        if old.path != new.path {
            self.add(true, Sender::Route, "path", format!("was {}, is {}", old.path, new.path));
        }
        if old.envelope != new.envelope {
            self.add(true, Sender::Route, "envelope", format!("was {:?}, is {:?}", old.envelope, new.envelope));
        }
        for protocol in old.protocols.iter().filter(|one| !new.protocols.contains(one)) {
            self.add(true, Sender::Route, "subprotocols", format!("{protocol} is gone"));
        }
        for protocol in new.protocols.iter().filter(|one| !old.protocols.contains(one)) {
            self.add(false, Sender::Route, "subprotocols", format!("{protocol} is new"));
        }
    }

    fn events(&mut self, old: &Side, new: &Side, direction: Direction) {
        let find = |side: &Side, tag: &str| side.messages.iter().find(|message| message.message_type == tag).cloned();
        let is_request = |side: &Side, tag: &str| side.rpcs.iter().any(|rpc| rpc.request.message_type == tag);
        for message in &old.messages {
            let tag = &message.message_type;
            match find(new, tag) {
                Some(other) => self.message(message, &other, direction, tag),
                None if is_request(new, tag) => self.add(true, direction, tag, "an event became a request"),
                None => self.add(true, direction, tag, "the event is gone"),
            }
        }
        for message in new.messages.iter().filter(|message| find(old, &message.message_type).is_none()) {
            let tag = &message.message_type;
            if is_request(old, tag) {
                self.add(true, direction, tag, "a request became an event");
            } else {
                self.add(false, direction, tag, "the event is new");
            }
        }
    }

    fn requests(&mut self, old: &Side, new: &Side, direction: Direction) {
        let find = |side: &Side, tag: &str| side.rpcs.iter().find(|rpc| rpc.request.message_type == tag).cloned();
        let is_event = |side: &Side, tag: &str| side.messages.iter().any(|message| message.message_type == tag);
        for rpc in &old.rpcs {
            let tag = &rpc.request.message_type;
            match find(new, tag) {
                Some(other) => self.rpc(rpc, &other, direction),
                // Reported as an event.
                None if is_event(new, tag) => {}
                // Nothing calls an old client any more.
                None => self.add(direction == Direction::Inbound, direction, tag, "the request is gone"),
            }
        }
        for rpc in &new.rpcs {
            let tag = &rpc.request.message_type;
            if find(old, tag).is_none() && !is_event(old, tag) {
                // An old client cannot answer.
                self.add(direction == Direction::Outbound, direction, tag, "the request is new");
            }
        }
    }

    fn rpc(&mut self, old: &RpcContract, new: &RpcContract, direction: Direction) {
        let tag = &old.request.message_type;
        self.message(&old.request, &new.request, direction, tag);
        let back = direction.reverse();
        if let (Some(a), Some(b)) = (&old.response, &new.response) {
            if a.message_type == b.message_type {
                self.message(a, b, back, &a.message_type);
            } else {
                let text = format!("the response was {}, is {}", a.message_type, b.message_type);
                self.add(true, back, tag, text);
            }
        }
        match (&old.progress, &new.progress) {
            (Some(a), Some(b)) => self.schemas(back, true, a, b, &format!("{tag}(progress)")),
            (None, Some(_)) => self.add(false, back, tag, "has progress now"),
            (Some(_), None) => self.add(false, back, tag, "no longer has progress"),
            (None, None) => {}
        }
        for code in old.errors.iter().filter(|code| !new.errors.contains(code)) {
            self.add(false, back, tag, format!("the error code {code} is gone"));
        }
        for code in new.errors.iter().filter(|code| !old.errors.contains(code)) {
            self.add(false, back, tag, format!("the error code {code} is new"));
        }
    }

    fn message(&mut self, old: &MessageContract, new: &MessageContract, direction: Direction, path: &str) {
        let inbound = direction == Direction::Inbound;
        if inbound && old.allow_unknown != new.allow_unknown {
            let text = if new.allow_unknown { "unknown keys are taken now" } else { "unknown keys are refused now" };
            self.add(!new.allow_unknown, direction, path, text);
        }
        // That of a payload stands in its schema.
        if old.deprecated != new.deprecated && (old.payload.is_none() || new.payload.is_none()) {
            let text = if new.deprecated { "deprecated now" } else { "no longer deprecated" };
            self.add(false, direction, path, text);
        }
        match (&old.payload, &new.payload) {
            (Some(a), Some(b)) => self.schemas(direction, new.allow_unknown, a, b, path),
            (None, Some(_)) => self.add(inbound, direction, path, "has a payload now"),
            (Some(_), None) => self.add(true, direction, path, "no longer has a payload"),
            (None, None) => {}
        }
        let any = Schema::any();
        if old.meta.is_some() || new.meta.is_some() {
            let [a, b] = [&old.meta, &new.meta].map(|meta| meta.as_ref().unwrap_or(&any));
            // Unknown keys of `meta` are ignored.
            self.schemas(direction, true, a, b, &format!("{path}(meta)"));
        }
    }

    fn schemas(&mut self, direction: Direction, allow_unknown: bool, old: &Schema, new: &Schema, path: &str) {
        let (old, new): (Value, Value) = (value(old), value(new));
        Schemas::new(&self.old, &self.new, direction, allow_unknown, &mut self.changes).compare(&old, &new, path);
    }

    fn topics(&mut self) {
        let (old, new) = (self.old.contract.topics.clone(), self.new.contract.topics.clone());
        for topic in &old {
            let path = &topic.pattern;
            let Some(other) = new.iter().find(|other| other.pattern == topic.pattern) else {
                self.add(true, Sender::Route, path, "the topic is gone");
                continue;
            };
            for tag in topic.messages.iter().filter(|tag| !other.messages.contains(tag)) {
                self.add(true, Sender::Server, path, format!("the topic no longer has {tag}"));
            }
            for tag in other.messages.iter().filter(|tag| !topic.messages.contains(tag)) {
                self.add(false, Sender::Server, path, format!("the topic has {tag}, too"));
            }
        }
        for topic in new.iter().filter(|topic| old.iter().all(|other| other.pattern != topic.pattern)) {
            self.add(false, Sender::Route, &topic.pattern, "the topic is new");
        }
    }

    fn limits(&mut self) {
        let (old, new) = (self.old.contract.limits.clone(), self.new.contract.limits.clone());
        for (name, a) in &old {
            if let Some(b) = new.get(name).filter(|b| *b != a) {
                self.add(name.starts_with("max") && b < a, Sender::Route, name, format!("was {a}, is {b}"));
            }
        }
    }
}
