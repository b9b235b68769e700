//! From a frame to what is to be done about it.

use bytes::Bytes;
use switchboard_core::{
    WsError,
    envelope::{Inbound, InboundMeta, MalformedEnvelope},
    is_reserved_type,
};

use crate::{
    RawText,
    router::{Call, CallId, KeptCall, Routing},
};

/// Something to do, in order of arrival. `C` is [`Call`], or [`KeptCall`] while it waits.
#[derive(Debug)]
pub(super) enum Work<C> {
    /// Call the handler of the route with this index.
    Call(usize, C),
    /// Answer with an error.
    Refuse(Refusal),
    /// Call the hook for raw text.
    Text(RawText),
    /// Call the hook for binary frames.
    Binary(Bytes),
}

/// A message that reaches no handler.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) error: WsError,
    pub(super) message_type: Option<&'static str>,
    pub(super) correlation_id: Option<Box<str>>,
    pub(super) is_rpc: bool,
    /// Malformed or of an unknown type: too many of these in a row end the connection.
    pub(super) is_bad: bool,
}

/// A frame, read.
#[derive(Debug)]
pub(super) enum Incoming<'a> {
    /// Waits its turn.
    Work(Work<Call<'a>>),
    /// `$ws:abort` of this request: never waits.
    Abort(Box<str>),
    /// `__heartbeat`: never waits.
    Heartbeat,
    /// Nothing to do.
    Ignored,
}

impl Work<Call<'_>> {
    pub(super) fn keep(self) -> Work<KeptCall> {
        match self {
            Self::Call(index, call) => Work::Call(index, call.keep()),
            Self::Refuse(refusal) => Work::Refuse(refusal),
            Self::Text(text) => Work::Text(text),
            Self::Binary(bytes) => Work::Binary(bytes),
        }
    }

    pub(super) fn request(&self) -> Option<&CallId> {
        match self {
            Self::Call(_, call) if call.id.is_rpc => Some(&call.id),
            _ => None,
        }
    }
}

impl Work<KeptCall> {
    /// Whether its reply or error will carry this id as that of a request.
    pub(super) fn answers_under(&self, correlation_id: &str) -> bool {
        match self {
            Self::Refuse(refusal) => refusal.is_rpc && refusal.correlation_id.as_deref() == Some(correlation_id),
            _ => self.is_request(correlation_id),
        }
    }

    pub(super) fn is_request(&self, correlation_id: &str) -> bool {
        matches!(self, Self::Call(_, call) if call.id.is_rpc && call.id.correlation_id() == Some(correlation_id))
    }
}

pub(super) fn text<'a, D>(routing: &Routing<D>, frame: &'a str) -> Incoming<'a> {
    if routing.hooks.text.is_some() {
        return Incoming::Work(Work::Text(frame.into()));
    }
    match Inbound::from_json(frame) {
        Ok(inbound) => envelope(routing, frame, inbound),
        Err(malformed) => bad(malformed.into(), None),
    }
}

pub(super) fn binary<'a, D>(routing: &Routing<D>, frame: &'a [u8]) -> Incoming<'a> {
    if routing.hooks.binary.is_some() {
        return Incoming::Work(Work::Binary(Bytes::copy_from_slice(frame)));
    }
    match std::str::from_utf8(frame) {
        Ok(frame) => text(routing, frame),
        Err(_) => bad(MalformedEnvelope.into(), None),
    }
}

fn envelope<'a, D>(routing: &Routing<D>, text: &'a str, inbound: Inbound<'a>) -> Incoming<'a> {
    let (message_type, meta, payload) = inbound.into_parts();
    let Some(index) = routing.table.find(&message_type) else { return unrouted(&message_type, &meta) };
    let route = routing.table.get(index);
    let refuse = |error: WsError| {
        // Without an id, an error of a request cannot be told apart from others: plain ERROR.
        let is_rpc = route.is_rpc && meta.correlation_id().is_some();
        Incoming::Work(Work::Refuse(Refusal {
            error,
            message_type: Some(route.message_type),
            correlation_id: meta.correlation_id().map(Into::into),
            is_rpc,
            is_bad: false,
        }))
    };
    if let Some(problem) = meta.problem() {
        return refuse(problem.into());
    }
    if route.is_rpc && meta.correlation_id().is_none() {
        return refuse(WsError::invalid_argument("a request needs a meta.correlationId"));
    }
    Incoming::Work(Work::Call(index, Call::new(route.message_type, route.is_rpc, &meta, payload, text)))
}

/// Types of the protocol, and unknown ones.
fn unrouted(message_type: &str, meta: &InboundMeta<'_>) -> Incoming<'static> {
    match (message_type, meta.correlation_id()) {
        ("__heartbeat", _) => Incoming::Heartbeat,
        ("$ws:abort", Some(id)) => Incoming::Abort(id.into()),
        ("$ws:abort", None) => bad(WsError::invalid_argument("$ws:abort needs a meta.correlationId"), None),
        // The answer to a call of ours that nobody waits for any more.
        ("RPC_ERROR", Some(id)) if id.starts_with("s:") => Incoming::Ignored,
        (_, id) if is_reserved_type(message_type) => {
            bad(WsError::invalid_argument("this message type is reserved"), id)
        }
        ("", id) => bad(WsError::invalid_argument("the message type is empty"), id),
        (_, id) => bad(WsError::unimplemented("unknown message type"), id),
    }
}

fn bad(error: WsError, correlation_id: Option<&str>) -> Incoming<'static> {
    Incoming::Work(Work::Refuse(Refusal {
        error,
        message_type: None,
        correlation_id: correlation_id.map(Into::into),
        is_rpc: correlation_id.is_some(),
        is_bad: true,
    }))
}
