//! Records what clients see, in one list for all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{Client, Event, Message, What};
use crate::planted::{OneIn, Planted};

/// Records events. Cheap to clone; all clones record into the same list.
///
/// Faults can be planted here, between the clients and the judge.
#[derive(Debug, Clone)]
pub struct Recorder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    began: Instant,
    planted: Option<Planted>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    events: Vec<Event>,
    choice: OneIn,
    /// Messages that the next one of their client overtakes.
    held: HashMap<Client, Message>,
}

impl Recorder {
    /// Creates a recorder. One in `one_in` messages for members has the planted fault, if it is one of delivery.
    #[must_use]
    pub fn new(planted: Option<Planted>, one_in: u64) -> Self {
        let state = State { events: Vec::new(), choice: OneIn::new(one_in), held: HashMap::new() };
        Self(Arc::new(Inner { began: Instant::now(), planted, state: Mutex::new(state) }))
    }

    /// Returns the time since the recorder was created.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.0.began.elapsed()
    }

    /// Records what happens to a client now.
    pub fn record(&self, client: Client, what: What) {
        let mut state = self.state();
        // Read under the lock, so that times are in the order of the list.
        let at = self.now();
        match what {
            What::Got(message) => state.got(Event { at, client, what }, message, self.0.planted),
            _ => state.events.push(Event { at, client, what }),
        }
    }

    /// Takes all events recorded so far.
    #[must_use]
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.state().events)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A list of events is whole whenever the lock is free.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn got(&mut self, event: Event, message: Message, planted: Option<Planted>) {
        match planted {
            Some(Planted::Drop) if self.choice.choose() => {}
            Some(Planted::Twice) if self.choice.choose() => self.events.extend([event.clone(), event]),
            Some(Planted::Reorder | Planted::Swap) => self.reorder(event, message, planted),
            _ => self.events.push(event),
        }
    }

    /// Lets messages overtake a chosen one: the next of its publisher, or one of another publisher.
    fn reorder(&mut self, event: Event, message: Message, planted: Option<Planted>) {
        let client = event.client;
        match self.held.get(&client).copied() {
            None if self.choice.choose() => _ = self.held.insert(client, message),
            Some(held) if held.topic == message.topic => {
                let late = Event { what: What::Got(held), ..event };
                let is_same = held.publisher == message.publisher;
                if is_same == (planted == Some(Planted::Reorder)) {
                    self.held.remove(&client);
                    self.events.extend([event, late]);
                } else if is_same {
                    self.held.remove(&client);
                    self.events.extend([late, event]);
                } else {
                    self.events.push(event);
                }
            }
            _ => self.events.push(event),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Publisher, Topic};

    fn message(publisher: u32, n: u32) -> Message {
        Message { topic: Topic(0), publisher: Publisher { client: Client(publisher), life: 0 }, n }
    }

    fn recorded(planted: Planted, messages: &[Message]) -> Vec<Message> {
        let recorder = Recorder::new(Some(planted), 2);
        messages.iter().for_each(|message| recorder.record(Client(1), What::Got(*message)));
        let got = |event: Event| if let What::Got(message) = event.what { Some(message) } else { None };
        recorder.take().into_iter().filter_map(got).collect()
    }

    #[test]
    fn faults_of_delivery_are_planted() {
        let [a, b, c] = [0, 1, 2].map(|n| message(5, n));
        let other = message(6, 0);
        assert_eq!(recorded(Planted::Drop, &[a, b, c]), [a, c]);
        assert_eq!(recorded(Planted::Twice, &[a, b, c]), [a, b, b, c]);
        assert_eq!(recorded(Planted::Reorder, &[a, b, c]), [a, c, b]);
        assert_eq!(recorded(Planted::Swap, &[a, b, other, c]), [a, other, b, c]);
        assert_eq!(recorded(Planted::Ghost, &[a, b]), [a, b]);
    }
}
