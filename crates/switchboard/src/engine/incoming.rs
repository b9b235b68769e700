//! Turns a frame into work for the session.

use bytes::Bytes;
use switchboard_core::{
    ErrorCode, WsError, check_type_tag, decode,
    envelope::{Inbound, InboundMeta, MalformedEnvelope, RawPayload},
    is_reserved_type,
};

use crate::{
    RawText, RefreshToken, UnknownMessage,
    conn::{Answer, CALL_PREFIX, Dialect, NoAnswer},
    dispatch::{Route, Routing},
    request::{AsCall, Call, CallId, OwnedCall},
};

/// A message to handle, in order of arrival. `C` is [`Call`], or [`OwnedCall`] while it waits.
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
    /// Call the hook for messages of unknown types.
    Fallback(UnknownMessage),
    /// Call the `on_refresh` hooks with this token, and answer with this correlation id.
    Refresh(RefreshToken, Box<str>),
}

/// A message that reaches no handler.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) error: WsError,
    pub(super) message_type: Option<&'static str>,
    pub(super) correlation_id: Option<Box<str>>,
    pub(super) is_rpc: bool,
    /// Malformed or of an unknown type: too many of these in a row close the connection.
    pub(super) is_bad: bool,
}

/// A parsed frame.
#[derive(Debug)]
pub(super) enum Incoming<'a> {
    /// Handled in order.
    Work(Work<Call<'a>>),
    /// `$ws:abort` of this request, handled at once.
    Abort(Box<str>),
    /// `__heartbeat`, handled at once.
    Heartbeat,
    /// An answer to a call of the server that is over or never existed.
    LateAnswer,
}

impl Incoming<'_> {
    /// Whether a handler or hook of the application sees it.
    pub(super) fn is_handled(&self) -> bool {
        match self {
            Self::Work(work) => is_handled(work),
            Self::Abort(_) | Self::Heartbeat | Self::LateAnswer => false,
        }
    }
}

pub(super) fn is_handled<C: AsCall>(work: &Work<C>) -> bool {
    match work {
        // Subscriptions by clients count as unhandled: no layer limits them.
        Work::Call(_, call) => !is_reserved_type(call.as_call().message_type),
        Work::Text(_) | Work::Binary(_) | Work::Fallback(_) => true,
        // A refresh as well: it is rare, and its hooks are expensive.
        Work::Refuse(_) | Work::Refresh(..) => false,
    }
}

impl Refusal {
    /// Refuses a frame that was not parsed.
    pub(super) fn of_frame(error: WsError) -> Self {
        Self { error, message_type: None, correlation_id: None, is_rpc: false, is_bad: false }
    }
}

impl<C: AsCall> Work<C> {
    pub(super) fn request(&self) -> Option<CallId<'_>> {
        match self {
            Self::Call(_, call) => Some(call.as_call().id()).filter(|id| id.is_rpc),
            _ => None,
        }
    }

    /// Returns the correlation id of its reply or error.
    pub(super) fn correlation_id(&self) -> Option<&str> {
        match self {
            Self::Call(_, call) => call.as_call().id().correlation_id,
            Self::Refuse(refusal) => refusal.correlation_id.as_deref(),
            Self::Fallback(message) => message.correlation_id(),
            Self::Refresh(_, id) => Some(id),
            Self::Text(_) | Self::Binary(_) => None,
        }
    }

    /// Whether its reply or error settles the request with this id.
    pub(super) fn answers_under(&self, correlation_id: &str) -> bool {
        match self {
            Self::Refuse(refusal) => refusal.is_rpc && refusal.correlation_id.as_deref() == Some(correlation_id),
            Self::Refresh(_, id) => **id == *correlation_id,
            Self::Fallback(message) => message.correlation_id() == Some(correlation_id),
            _ => self.is_request(correlation_id),
        }
    }

    pub(super) fn is_request(&self, correlation_id: &str) -> bool {
        self.request().is_some_and(|id| id.correlation_id == Some(correlation_id))
    }
}

impl Work<Call<'_>> {
    pub(super) fn keep(self) -> Work<OwnedCall> {
        match self {
            Self::Call(index, call) => Work::Call(index, call.keep()),
            Self::Refuse(refusal) => Work::Refuse(refusal),
            Self::Text(text) => Work::Text(text),
            Self::Binary(bytes) => Work::Binary(bytes),
            Self::Fallback(message) => Work::Fallback(message),
            Self::Refresh(token, id) => Work::Refresh(token, id),
        }
    }
}

pub(super) fn malformed_frame(malformed: MalformedEnvelope) -> Incoming<'static> {
    bad(malformed.into(), None)
}

/// Whether it may answer a call of the server.
pub(super) fn is_answer(inbound: &Inbound<'_>) -> bool {
    inbound.meta().correlation_id().is_some_and(|id| id.starts_with(CALL_PREFIX))
}

/// Parses a message as an answer: its type, unless it is an error, and the payload or error.
pub(super) fn answer(inbound: &Inbound<'_>) -> (Option<Box<str>>, Answer) {
    let payload = inbound.payload().map(|RawPayload::Json(json)| json);
    if inbound.message_type() != "RPC_ERROR" {
        return (Some(inbound.message_type().into()), Ok(payload.map(Into::into)));
    }
    let error = payload.and_then(decode::read);
    let error = error.unwrap_or_else(|| WsError::failed_precondition("the client's error is malformed"));
    (None, Err(NoAnswer::Error(not_internal(error))))
}

/// Maps a client's `INTERNAL` to `FAILED_PRECONDITION`, so that it is never logged as a failure of
/// this server.
fn not_internal(error: WsError) -> WsError {
    match error.code() {
        ErrorCode::Internal => WsError::failed_precondition("the client failed").with_source(error),
        _ => error,
    }
}

/// Finds the route of a parsed standard envelope.
#[inline]
pub(super) fn envelope<'a, D>(
    routing: &Routing<D>,
    dialect: Dialect,
    frame: &'a str,
    inbound: &'a Inbound<'a>,
) -> Incoming<'a> {
    let (message_type, meta, payload) = (inbound.message_type(), inbound.meta(), inbound.payload());
    let Some(index) = routing.table.find(message_type) else {
        return unrouted(routing, dialect, message_type, meta, payload);
    };
    let Route { message_type, is_rpc, is_extended, .. } = *routing.table.get(index);
    if is_extended && !dialect.extended {
        return unrouted(routing, dialect, message_type, meta, payload);
    }
    let call = Call { message_type, is_rpc, meta, payload, frame };
    if meta.problem().is_some() || (is_rpc && meta.correlation_id().is_none()) {
        return Incoming::Work(Work::Refuse(invalid_meta(call)));
    }
    Incoming::Work(Work::Call(index, call))
}

/// Refuses a message with invalid meta.
#[cold]
fn invalid_meta(call: Call<'_>) -> Refusal {
    let error = match call.meta.problem() {
        Some(problem) => problem.into(),
        None => WsError::invalid_argument("a request needs a meta.correlationId"),
    };
    let CallId { message_type, is_rpc, correlation_id } = call.id();
    Refusal {
        error,
        message_type: Some(message_type),
        correlation_id: correlation_id.map(Into::into),
        // Without an id the error cannot name its request: it is sent as a plain ERROR.
        is_rpc: is_rpc && correlation_id.is_some(),
        is_bad: false,
    }
}

/// Handles types without a route: those of the protocol, and unknown ones.
#[cold]
fn unrouted<D>(
    routing: &Routing<D>,
    dialect: Dialect,
    message_type: &str,
    meta: &InboundMeta<'_>,
    payload: Option<RawPayload<'_>>,
) -> Incoming<'static> {
    match (message_type, meta.correlation_id()) {
        ("__heartbeat", _) => Incoming::Heartbeat,
        ("$ws:abort", Some(id)) => Incoming::Abort(id.into()),
        ("$ws:abort", None) => bad(WsError::invalid_argument("$ws:abort needs a meta.correlationId"), None),
        ("$ws:refresh", id) if dialect.extended => refresh(id, payload, !routing.hooks.refresh.is_empty()),
        // Never counts as an unknown type, even though no handler takes it.
        (_, Some(id)) if is_call_id(id) && may_answer(message_type) => Incoming::LateAnswer,
        ("$ws:subscribe" | "$ws:unsubscribe" | "$ws:refresh", id) => {
            let error =
                "this message belongs to the extended dialect: connect with the subprotocol `switchboard.v1.json`";
            bad(WsError::invalid_argument(error), id)
        }
        (_, id) => match check_type_tag(message_type) {
            Err(problem) => bad(WsError::invalid_argument(problem), id),
            Ok(()) if routing.hooks.fallback.is_some() => {
                let payload = payload.map(|RawPayload::Json(json)| json);
                Incoming::Work(Work::Fallback(UnknownMessage::new(message_type, id, payload)))
            }
            Ok(()) => bad(WsError::unimplemented("unknown message type"), id),
        },
    }
}

/// Whether an id has the form of the server's call ids.
fn is_call_id(id: &str) -> bool {
    let number = id.strip_prefix(CALL_PREFIX);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn may_answer(message_type: &str) -> bool {
    message_type == "RPC_ERROR" || check_type_tag(message_type).is_ok()
}

fn refresh(id: Option<&str>, payload: Option<RawPayload<'_>>, is_supported: bool) -> Incoming<'static> {
    #[derive(serde::Deserialize)]
    struct Refresh {
        token: String,
    }
    let Some(id) = id else {
        return bad(WsError::invalid_argument("$ws:refresh needs a meta.correlationId"), None);
    };
    let token = payload.and_then(|RawPayload::Json(json)| serde_json::from_str::<Refresh>(json).ok());
    let error = match token {
        Some(Refresh { token }) if is_supported => {
            return Incoming::Work(Work::Refresh(RefreshToken::new(&token), id.into()));
        }
        Some(_) => WsError::unimplemented("this endpoint does not refresh tokens"),
        None => WsError::invalid_argument("$ws:refresh needs a payload {\"token\": string}"),
    };
    let (correlation_id, is_rpc) = (Some(id.into()), true);
    Incoming::Work(Work::Refuse(Refusal { error, message_type: None, correlation_id, is_rpc, is_bad: false }))
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
