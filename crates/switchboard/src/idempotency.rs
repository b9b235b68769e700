//! Messages that were sent twice are handled once: `meta.idempotencyKey`.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
    time::Duration,
};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use switchboard_core::{
    WsError,
    envelope::{Inbound, RawPayload},
};
use tokio::{sync::watch, time::Instant};

use crate::{
    Config, ConnId,
    encode::{self, Replied},
    handler::{self, HandlerResult},
    router::AsCall as _,
    transport::Frame,
};

/// What a route remembers, of all its connections.
#[derive(Debug)]
pub(crate) struct Idempotency {
    state: Mutex<State>,
    hasher: RandomState,
    max_keys: usize,
    max_bytes: usize,
    max_age: Duration,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<Key, Entry>,
    /// Those that are done, the oldest first, each with the time when it was.
    order: VecDeque<(Key, Instant)>,
    bytes: usize,
}

/// Whose message it is, and which.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    owner: Owner,
    message_type: &'static str,
    key: Box<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Owner {
    User(Arc<str>),
    Connection(ConnId),
}

#[derive(Debug)]
struct Entry {
    fingerprint: u64,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Whoever joins waits for this to change, or for its sender to go.
    Running(watch::Receiver<Option<Shared>>),
    Done(Option<Arc<Outcome>>),
}

/// How it ended: with a message, without one, or with an error.
type Shared = Result<Option<Arc<Outcome>>, Arc<WsError>>;

/// A reply, without what belongs to one request of it.
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

    fn len(&self) -> usize {
        self.message_type.len() + self.payload.as_ref().map_or(0, |payload| payload.len())
    }
}

/// What is to be done about a message with a key.
enum Begin<'a> {
    Run(Permit<'a>),
    Join(watch::Receiver<Option<Shared>>),
    Known(Option<Arc<Outcome>>),
    Refuse(WsError),
}

impl Idempotency {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            state: Mutex::default(),
            hasher: RandomState::new(),
            max_keys: config.max_idempotency_keys,
            max_bytes: config.max_idempotency_bytes,
            max_age: config.max_idempotency_age,
        }
    }

    /// The same for the same JSON value, however it is written.
    fn fingerprint(&self, payload: Option<&str>) -> u64 {
        // Hashed once more with a key of our own, so that no client can look for collisions beforehand.
        self.hasher.hash_one(payload.map(switchboard_core::fingerprint))
    }

    fn begin(&self, key: &Key, fingerprint: u64) -> Begin<'_> {
        let mut state = self.state.lock();
        self.forget_old(&mut state);
        if let Some(entry) = state.entries.get(key) {
            if entry.fingerprint != fingerprint {
                return Begin::Refuse(WsError::failed_precondition(
                    "this idempotencyKey was used with another payload",
                ));
            }
            return match &entry.stage {
                Stage::Running(running) => Begin::Join(running.clone()),
                Stage::Done(outcome) => Begin::Known(outcome.clone()),
            };
        }
        while state.entries.len() >= self.max_keys {
            if !state.forget_oldest() {
                return Begin::Refuse(WsError::resource_exhausted("too many messages with an idempotencyKey"));
            }
        }
        let (sender, receiver) = watch::channel(None);
        state.bytes += key.cost();
        state.entries.insert(key.clone(), Entry { fingerprint, stage: Stage::Running(receiver) });
        Begin::Run(Permit { store: self, key: key.clone(), sender, settled: false })
    }

    fn forget_old(&self, state: &mut State) {
        while state.order.front().is_some_and(|(_, since)| since.elapsed() >= self.max_age) {
            state.forget_oldest();
        }
    }

    fn forget(&self, key: &Key) {
        let mut state = self.state.lock();
        if state.entries.remove(key).is_some() {
            state.bytes -= key.cost();
        }
    }

    fn remember(&self, key: &Key, outcome: Option<Arc<Outcome>>) {
        let mut state = self.state.lock();
        let Some(entry) = state.entries.get_mut(key) else { return };
        let len = outcome.as_ref().map_or(0, |outcome| outcome.len());
        entry.stage = Stage::Done(outcome);
        state.bytes += len;
        state.order.push_back((key.clone(), Instant::now()));
        while state.bytes > self.max_bytes && state.forget_oldest() {}
    }
}

impl State {
    /// `false` if none is done.
    fn forget_oldest(&mut self) -> bool {
        let Some((key, _)) = self.order.pop_front() else { return false };
        if let Some(Entry { stage: Stage::Done(outcome), .. }) = self.entries.remove(&key) {
            self.bytes -= key.cost() + outcome.map_or(0, |outcome| outcome.len());
        }
        true
    }
}

impl Key {
    fn cost(&self) -> usize {
        // Twice: in the table and in the order.
        2 * (size_of::<Self>() + self.key.len()) + size_of::<Entry>()
    }
}

/// Who handles the message. Dropped before its end, whoever has joined may.
struct Permit<'a> {
    store: &'a Idempotency,
    key: Key,
    sender: watch::Sender<Option<Shared>>,
    settled: bool,
}

impl Permit<'_> {
    fn settle(mut self, shared: Shared) {
        self.settled = true;
        match &shared {
            // It may go better the next time.
            Err(error) if error.retryable() != Some(false) => self.store.forget(&self.key),
            Err(error) => {
                let payload = serde_json::to_string(&**error).ok().map(Into::into);
                let outcome = Outcome { message_type: "RPC_ERROR".into(), payload };
                self.store.remember(&self.key, Some(Arc::new(outcome)));
            }
            Ok(outcome) => self.store.remember(&self.key, outcome.clone()),
        }
        // Nobody may have joined.
        self.sender.send_replace(Some(shared));
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.store.forget(&self.key);
        }
    }
}

/// Handles a message with a key: or waits for, or repeats, what another with the same key has given.
#[cold]
pub(crate) fn run<D: Send + Sync + 'static>(incoming: handler::Incoming<'_, D>) -> BoxFuture<'static, HandlerResult> {
    let handler::Incoming { conn, routing, route, call, timing, to_completion, extensions, apart: _ } = incoming;
    let (conn, routing, to_completion) = (Arc::clone(conn), Arc::clone(routing), to_completion.cloned());
    let owner = conn.user().map_or(Owner::Connection(conn.id), Owner::User);
    let key =
        Key { owner, message_type: call.message_type, key: call.meta.idempotency_key().unwrap_or_default().into() };
    let fingerprint = routing.idempotency.fingerprint(call.payload.map(|RawPayload::Json(json)| json));
    let kept = call.keep();
    Box::pin(async move {
        loop {
            let shared = match routing.idempotency.begin(&key, fingerprint) {
                Begin::Refuse(error) => return HandlerResult(Err(error)),
                Begin::Known(outcome) => Ok(outcome),
                Begin::Run(permit) => {
                    let handling = (routing.table.get(route).handler)(handler::Incoming {
                        conn: &conn,
                        routing: &routing,
                        route,
                        call: kept.as_call(),
                        timing,
                        to_completion: to_completion.as_ref(),
                        extensions: extensions.clone(),
                        apart: true,
                    });
                    let HandlerResult(result) = handling.await;
                    permit.settle(match &result {
                        Ok(Replied::Frame(frame)) => Ok(Outcome::of(frame).map(Arc::new)),
                        Ok(Replied::Nothing | Replied::Sent) => Ok(None),
                        // Its source is for the log and the error hooks, once.
                        Err(error) => Err(Arc::new(error.again())),
                    });
                    return HandlerResult(result);
                }
                Begin::Join(mut running) => match running.wait_for(Option::is_some).await {
                    Ok(shared) => shared.clone().unwrap_or(Ok(None)),
                    // Whoever handled it was dropped: this one does.
                    Err(_) => continue,
                },
            };
            return HandlerResult(match shared {
                Ok(Some(outcome)) => match error_of(&outcome) {
                    Some(error) => Err(error),
                    None => Ok(encode::again(&outcome, kept.as_call().id().correlation_id)
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

    fn key(text: &str) -> Key {
        Key { owner: Owner::User("ann".into()), message_type: "A", key: text.into() }
    }

    fn outcome(len: usize) -> Option<Arc<Outcome>> {
        Some(Arc::new(Outcome { message_type: "B".into(), payload: Some("x".repeat(len).into()) }))
    }

    fn permit<'a>(store: &'a Idempotency, text: &str) -> Permit<'a> {
        match store.begin(&key(text), 1) {
            Begin::Run(permit) => permit,
            _ => panic!("not to be run"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn protocol_7_9_what_is_remembered_is_bounded() {
        let store = Idempotency::new(&Config::new().idempotency(3, 2000, Duration::from_secs(60)));
        for text in ["1", "2", "3", "4"] {
            permit(&store, text).settle(Ok(outcome(10)));
        }
        assert!(matches!(store.begin(&key("2"), 1), Begin::Known(Some(_))));
        assert!(matches!(store.begin(&key("2"), 2), Begin::Refuse(_)));
        // The first was forgotten for the fourth.
        permit(&store, "1").settle(Ok(outcome(1900)));
        assert!(store.state.lock().entries.len() <= 1, "bytes are bounded, too");
        tokio::time::advance(Duration::from_secs(60)).await;
        drop(permit(&store, "9"));
        let state = store.state.lock();
        assert_eq!((state.entries.len(), state.order.len(), state.bytes), (0, 0, 0));
    }

    #[test]
    fn retryable_errors_and_dropped_handlers_are_not_remembered() {
        let store = Idempotency::new(&Config::new());
        permit(&store, "1").settle(Err(Arc::new(WsError::unavailable("later"))));
        drop(permit(&store, "1"));
        permit(&store, "1").settle(Err(Arc::new(WsError::not_found("never"))));
        let Begin::Known(Some(outcome)) = store.begin(&key("1"), 1) else { panic!("not known") };
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
