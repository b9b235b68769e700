//! Requests to clients of other nodes: how they are written, and what comes back.

use std::{
    borrow::Cow,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use switchboard_cluster::{ClientRequestId, ClientsOf, ClusterError};
use switchboard_core::{WsError, broker::UserKey, decode::RawPayload, envelope::Inbound};
use tokio::sync::mpsc;

use super::{Link, RawAnswer};
use crate::{
    CallErrorKind,
    conn::{CallError, ConnId},
    hub::calls::Target,
    wire::Frame,
};

/// A request as nodes send it to each other.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClientRequest<'a> {
    #[serde(borrow)]
    pub(super) to: To<'a>,
    #[serde(rename = "type", borrow)]
    pub(super) message_type: Cow<'a, str>,
    /// The type of the response.
    #[serde(borrow)]
    pub(super) response: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) payload: Option<&'a RawValue>,
}

/// Which clients of a node are asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum To<'a> {
    /// Those of the user that the cluster has addressed.
    User,
    Topic(#[serde(borrow)] Cow<'a, str>),
    Connection(#[serde(borrow)] Cow<'a, str>),
}

/// A client's response as nodes send it to each other, or why there is none.
#[derive(Debug, Serialize)]
struct ClientResponse<'a> {
    conn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a WsError>,
}

#[derive(Debug, Deserialize)]
struct ReceivedResponse<'a> {
    #[serde(borrow)]
    conn: Cow<'a, str>,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
    #[serde(borrow, default)]
    failed: Option<Cow<'a, str>>,
    #[serde(default)]
    error: Option<WsError>,
}

const FAILURES: [(CallErrorKind, &str); 5] = [
    (CallErrorKind::Closed, "closed"),
    (CallErrorKind::TimedOut, "timedOut"),
    (CallErrorKind::Overloaded, "overloaded"),
    (CallErrorKind::Refused, "refused"),
    (CallErrorKind::InvalidRequest, "invalidRequest"),
];

pub(super) fn encode_response(conn: ConnId, answer: &RawAnswer) -> Bytes {
    let payload = match answer {
        // The client's payload is JSON: it was a part of an envelope.
        Ok(payload) => payload.as_deref().and_then(|json| serde_json::from_str(json).ok()),
        Err(_) => None,
    };
    let error = answer.as_ref().err();
    let name = |kind| FAILURES.iter().find(|(other, _)| *other == kind).map_or("closed", |(_, name)| name);
    let response = ClientResponse {
        conn: conn.to_string(),
        payload,
        failed: error.map(|error| name(error.kind())),
        error: error.and_then(CallError::wire_source),
    };
    // Nothing in it fails to serialise.
    serde_json::to_vec(&response).unwrap_or_default().into()
}

/// Reads a response. `None` if a later version has written it.
fn decode_response(response: &[u8]) -> Option<(ConnId, RawAnswer)> {
    let ReceivedResponse { conn, payload, failed, error } = serde_json::from_slice(response).ok()?;
    let answer = match failed {
        None => Ok(payload.map(|payload| payload.get().into())),
        Some(name) => {
            let kind = FAILURES.iter().find(|(_, other)| *other == name).map(|(kind, _)| *kind)?;
            Err(CallError::elsewhere(kind, error))
        }
    };
    Some((conn.parse().ok()?, answer))
}

/// What comes of a request.
#[derive(Debug)]
pub(super) enum Arrival {
    Response(Bytes),
    Ended { is_complete: bool },
}

impl Link {
    /// Sends a request to clients of other nodes. `None` if there can be none.
    pub(crate) fn request_clients(
        self: &Arc<Self>,
        target: &Target,
        request: &Frame,
        response: &str,
        time: Duration,
    ) -> Result<Option<RemoteResponses>, CallError> {
        let (clients, to) = match target {
            Target::User(user) => match UserKey::new(Arc::clone(user)) {
                Ok(user) => (ClientsOf::User(user), To::User),
                // Other nodes do not know of such a user.
                Err(_) => return Ok(None),
            },
            Target::Topic(topic) => (ClientsOf::AllNodes, To::Topic((&**topic).into())),
            Target::Connection(id) => (ClientsOf::AllNodes, To::Connection(id.to_string().into())),
        };
        let inbound = request.text_payload().and_then(|text| Inbound::from_json(text).ok());
        let Some((message_type, _, payload)) = inbound.map(Inbound::into_parts) else {
            return Err(CallErrorKind::InvalidRequest.into());
        };
        let payload = payload.and_then(|RawPayload::Json(json)| serde_json::from_str(json).ok());
        let request = ClientRequest { to, message_type, response: response.into(), payload };
        let request = Bytes::from(serde_json::to_vec(&request).unwrap_or_default());
        // Their number is limited by the bytes that the cluster collects for a request.
        let (sender, arrivals) = mpsc::unbounded_channel();
        let request = self.input(|cluster, waiting, now| {
            let request = cluster.request_clients(&clients, request, time, now)?;
            waiting.requests.insert(request, sender);
            Ok(request)
        });
        match request {
            Ok(request) => {
                Ok(Some(RemoteResponses { link: Arc::clone(self), request, arrivals, is_readable: true, end: None }))
            }
            Err(error) => Err(too_many(&error)),
        }
    }
}

/// The error of a request or response that a limit of the cluster refuses.
pub(super) fn too_many(error: &ClusterError) -> CallError {
    CallError::elsewhere(CallErrorKind::Overloaded, Some(WsError::resource_exhausted(error.to_string())))
}

/// The responses of clients of other nodes. Dropping it tells those nodes to wait no longer.
pub(crate) struct RemoteResponses {
    link: Arc<Link>,
    request: ClientRequestId,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
    /// Whether all responses could be read.
    is_readable: bool,
    /// Whether the responses are complete, once that is known.
    end: Option<bool>,
}

impl RemoteResponses {
    /// Returns the next response; `None` after the last.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(ConnId, RawAnswer)>> {
        while self.end.is_none() {
            match std::task::ready!(self.arrivals.poll_recv(cx)) {
                Some(Arrival::Response(response)) => match decode_response(&response) {
                    Some(response) => return Poll::Ready(Some(response)),
                    None => self.is_readable = false,
                },
                Some(Arrival::Ended { is_complete }) => self.end = Some(is_complete && self.is_readable),
                // The runtime of the driver was shut down.
                None => self.end = Some(false),
            }
        }
        Poll::Ready(None)
    }

    /// Returns whether all clients have responded, as far as is known.
    pub(crate) fn is_complete(&self) -> bool {
        self.end == Some(true)
    }
}

impl Drop for RemoteResponses {
    fn drop(&mut self) {
        if self.end.is_none() {
            self.link.input(|cluster, waiting, now| {
                waiting.requests.remove(&self.request);
                cluster.cancel_client_request(self.request, now);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_read_as_they_are_written() {
        let conn = ConnId::new();
        for payload in [None, Some(r#"{"n": 1}"#)] {
            let (id, answer) = decode_response(&encode_response(conn, &Ok(payload.map(Into::into)))).unwrap();
            assert_eq!((id, answer.unwrap().as_deref()), (conn, payload));
        }
        for (kind, _) in FAILURES {
            let error = CallError::elsewhere(kind, Some(WsError::not_found("no such room").with_detail("room", "x")));
            let (id, answer) = decode_response(&encode_response(conn, &Err(error))).unwrap();
            let error = answer.unwrap_err();
            assert_eq!((id, error.kind()), (conn, kind));
            let source = error.wire_source().unwrap();
            assert_eq!(
                (source.message(), source.details::<serde_json::Value>().unwrap()["room"].as_str()),
                ("no such room", Some("x"))
            );
        }
    }

    #[test]
    fn what_a_later_version_writes_is_no_response() {
        let id = ConnId::new();
        for text in ["", "{}", r#"{"conn":"x"}"#, &format!(r#"{{"conn":"{id}","failed":"tired"}}"#)] {
            assert!(decode_response(text.as_bytes()).is_none(), "{text}");
        }
    }
}
