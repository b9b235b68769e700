//! Idempotency: messages with the same `meta.idempotencyKey` are handled once.

mod store;

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use switchboard_core::{
    WsError,
    envelope::{Inbound, RawPayload},
};
use tokio::sync::watch;

use self::store::{Found, IdempotencyKey, Owner, Store};
use crate::{
    Config, ConnId,
    conn::Replied,
    dispatch::Routed,
    handler::HandlerResult,
    request::AsCall as _,
    wire::{Frame, encode},
};

/// The results of a route, for all its connections.
#[derive(Debug)]
pub(crate) struct Idempotency {
    store: Mutex<Store>,
    hasher: RandomState,
}

/// A result: a reply, no reply, or an error.
type Shared = Result<Option<Arc<Outcome>>, Arc<WsError>>;

/// A reply without the correlation id, which differs between retries.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) message_type: Box<str>,
    pub(crate) payload: Option<Box<str>>,
}

impl Outcome {
    fn of(frame: &Frame) -> Option<Self> {
        let text = frame.text_payload()?;
        let inbound = Inbound::from_json(text).ok()?;
        let payload = inbound.payload().map(|RawPayload::Json(json)| json.into());
        Some(Self { message_type: inbound.message_type().into(), payload })
    }

    /// The bytes that storing it takes.
    fn cost(&self) -> usize {
        size_of::<Self>() + self.message_type.len() + self.payload.as_ref().map_or(0, |payload| payload.len())
    }
}

/// How a message with a key is handled.
enum Begin<'a> {
    Run(Permit<'a>),
    Join(watch::Receiver<Option<Shared>>),
    Known(Option<Arc<Outcome>>),
    Refuse(WsError),
}

impl Idempotency {
    pub(crate) fn new(config: &Config) -> Self {
        Self { store: Mutex::new(Store::new(config)), hasher: RandomState::new() }
    }

    /// Returns the same number for all texts of a JSON value.
    fn fingerprint(&self, payload: Option<&str>) -> u64 {
        // Hashed again with a random key, so that clients cannot precompute collisions.
        self.hasher.hash_one(payload.map(switchboard_core::fingerprint))
    }

    fn begin(&self, id: &MessageKey, fingerprint: u64) -> Begin<'_> {
        match self.store.lock().begin(&id.owner, &id.key, fingerprint) {
            Found::New(sender) => Begin::Run(Permit { of: self, id: id.clone(), sender, settled: false }),
            Found::Running(running) => Begin::Join(running),
            Found::Done(outcome) => Begin::Known(outcome),
            Found::OtherPayload => {
                Begin::Refuse(WsError::failed_precondition("this idempotencyKey was used with another payload"))
            }
            Found::TooMany(limit) => Begin::Refuse(
                WsError::resource_exhausted("too many requests with an idempotencyKey at once")
                    .with_detail("limit", limit),
            ),
        }
    }

    /// Forgets the results of a connection without a user, which cannot retry any more.
    pub(crate) fn connection_ended(&self, conn: ConnId) {
        self.store.lock().forget_owner(&Owner::Connection(conn));
    }
}

/// The owner and key of a message.
#[derive(Debug, Clone)]
struct MessageKey {
    owner: Owner,
    key: IdempotencyKey,
}

/// Held while the handler of a message with a key runs. If it is dropped unsettled, a waiting retry
/// takes over.
struct Permit<'a> {
    of: &'a Idempotency,
    id: MessageKey,
    sender: watch::Sender<Option<Shared>>,
    settled: bool,
}

impl Permit<'_> {
    fn settle(mut self, shared: Shared) {
        self.settled = true;
        let (owner, key) = (&self.id.owner, &self.id.key);
        match &shared {
            // A retry may succeed, so it runs the handler again.
            Err(error) if error.retryable() != Some(false) => self.of.store.lock().forget(owner, key),
            Err(error) => {
                let payload = serde_json::to_string(&**error).ok().map(Into::into);
                let outcome = Outcome { message_type: "RPC_ERROR".into(), payload };
                self.of.store.lock().remember(owner, key, Some(Arc::new(outcome)));
            }
            Ok(outcome) => self.of.store.lock().remember(owner, key, outcome.clone()),
        }
        // There may be no retry that waits for it.
        self.sender.send_replace(Some(shared));
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.of.store.lock().forget(&self.id.owner, &self.id.key);
        }
    }
}

/// Handles a message with a key: runs its handler, waits for the one that runs, or repeats its result.
#[cold]
pub(super) fn run<D: Send + Sync + 'static>(routed: Routed<'_, D>) -> BoxFuture<'static, HandlerResult> {
    let Routed { conn, routing, route, call, timing, to_completion, extensions, apart: _ } = routed;
    let (conn, routing, to_completion) = (Arc::clone(conn), Arc::clone(routing), to_completion.cloned());
    let owner = conn.user().map_or(Owner::Connection(conn.id), Owner::User);
    let key = call.meta.idempotency_key().unwrap_or_default().into();
    let id = MessageKey { owner, key: IdempotencyKey { message_type: call.message_type, key } };
    let fingerprint = routing.idempotency.fingerprint(call.payload.map(|RawPayload::Json(json)| json));
    let kept = call.keep();
    Box::pin(async move {
        loop {
            let shared = match routing.idempotency.begin(&id, fingerprint) {
                Begin::Refuse(error) => return HandlerResult(Err(error)),
                Begin::Known(outcome) => Ok(outcome),
                Begin::Run(permit) => {
                    let again = Routed {
                        conn: &conn,
                        routing: &routing,
                        route,
                        call: kept.as_call(),
                        timing,
                        to_completion: to_completion.as_ref(),
                        extensions: extensions.clone(),
                        apart: true,
                    };
                    let HandlerResult(result) = again.handle().await;
                    permit.settle(match &result {
                        Ok(Replied::Frame(frame)) => Ok(Outcome::of(frame).map(Arc::new)),
                        Ok(Replied::Nothing | Replied::Sent) => Ok(None),
                        // Without the source, which is logged only once.
                        Err(error) => Err(Arc::new(error.again())),
                    });
                    return HandlerResult(result);
                }
                Begin::Join(mut running) => match running.wait_for(Option::is_some).await {
                    Ok(shared) => shared.clone().unwrap_or(Ok(None)),
                    // That handler was dropped: run this one.
                    Err(_) => continue,
                },
            };
            return HandlerResult(match shared {
                Ok(Some(outcome)) => match error_of(&outcome) {
                    Some(error) => Err(error),
                    None => Ok(encode::serialised(
                        &outcome.message_type,
                        outcome.payload.as_deref(),
                        kept.as_call().id().correlation_id,
                    )
                    .map_or(Replied::Nothing, Replied::Frame)),
                },
                Ok(None) => Ok(Replied::Nothing),
                Err(error) => Err(error.again()),
            });
        }
    })
}

fn error_of(outcome: &Outcome) -> Option<WsError> {
    if *outcome.message_type != *"RPC_ERROR" {
        return None;
    }
    serde_json::from_str(outcome.payload.as_deref()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permit<'a>(store: &'a Idempotency, text: &str) -> Permit<'a> {
        match store.begin(&id(text), 1) {
            Begin::Run(permit) => permit,
            _ => panic!("not to be run"),
        }
    }

    fn id(text: &str) -> MessageKey {
        let key = IdempotencyKey { message_type: "A", key: text.into() };
        MessageKey { owner: Owner::User("ann".into()), key }
    }

    #[test]
    fn retryable_errors_and_dropped_handlers_are_not_remembered() {
        let store = Idempotency::new(&Config::new());
        permit(&store, "1").settle(Err(Arc::new(WsError::unavailable("later"))));
        drop(permit(&store, "1"));
        permit(&store, "1").settle(Err(Arc::new(WsError::not_found("never"))));
        let Begin::Known(Some(outcome)) = store.begin(&id("1"), 1) else { panic!("not known") };
        assert_eq!(error_of(&outcome).unwrap().message(), "never");
    }

    #[test]
    fn the_same_payload_written_differently_is_the_same() {
        let store = Idempotency::new(&Config::new());
        let one = store.fingerprint(Some(r#"{"a":1,"b":[2]}"#));
        assert_eq!(one, store.fingerprint(Some(r#"{ "b": [2], "a": 1 }"#)));
        assert_ne!(one, store.fingerprint(Some(r#"{"a":1,"b":[3]}"#)));
        assert_ne!(one, store.fingerprint(None));
    }
}
