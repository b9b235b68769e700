//! The store of results by idempotency key, shared fairly between its owners.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use super::{Outcome, Shared};
use crate::{Config, ConnId};

/// How many expired results of other owners are removed per message: more than the one that is added.
const MAX_EXPIRED_AT_ONCE: usize = 16;

/// The most bytes that the two ordered maps take per key.
const ORDER_COST: usize = 128;

/// The owner of keys: equal keys of different owners are unrelated.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    User(Arc<str>),
    Connection(ConnId),
}

/// A message of an owner.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct IdempotencyKey {
    pub(super) message_type: &'static str,
    pub(super) key: Arc<str>,
}

/// The limits of the store.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    max_keys: usize,
    max_bytes: usize,
    max_age: Duration,
    owner_keys: usize,
    owner_bytes: usize,
    owner_running: usize,
}

/// The results and running handlers of a route. Running handlers have a limit per owner only: each is one of
/// its connection's requests in flight, and cannot be evicted.
#[derive(Debug)]
pub(super) struct Store {
    bounds: Bounds,
    owners: HashMap<Owner, Ledger>,
    /// Each owner, by the number of its oldest result.
    by_age: BTreeMap<u64, Owner>,
    /// The share and the oldest result's number of each owner; the last entry is evicted first.
    by_share: BTreeSet<(u128, Reverse<u64>)>,
    next_number: u64,
    keys: usize,
    bytes: usize,
}

/// The results and running handlers of one owner.
#[derive(Debug, Default)]
struct Ledger {
    entries: HashMap<IdempotencyKey, Entry>,
    /// Oldest first.
    results: VecDeque<Remembered>,
    running: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    fingerprint: u64,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// A retry waits for this to change, or for its sender to be dropped.
    Running(watch::Receiver<Option<Shared>>),
    Done(Option<Arc<Outcome>>),
}

/// A result in the order of age.
#[derive(Debug)]
struct Remembered {
    number: u64,
    key: IdempotencyKey,
    since: Instant,
    cost: usize,
}

/// What the store has for a message.
#[derive(Debug)]
pub(super) enum Found {
    /// Nothing: its handler is to run, and the sender publishes the result to retries.
    New(watch::Sender<Option<Shared>>),
    Running(watch::Receiver<Option<Shared>>),
    Done(Option<Arc<Outcome>>),
    OtherPayload,
    /// The owner has as many running handlers as it may.
    TooMany(usize),
}

impl Store {
    pub(super) fn new(config: &Config) -> Self {
        let (max_keys, max_bytes, max_age) = config.idempotency;
        let (owner_keys, owner_bytes, owner_running) = config.idempotency_per_user;
        Self {
            bounds: Bounds { max_keys, max_bytes, max_age, owner_keys, owner_bytes, owner_running },
            owners: HashMap::new(),
            by_age: BTreeMap::new(),
            by_share: BTreeSet::new(),
            next_number: 0,
            keys: 0,
            bytes: 0,
        }
    }

    pub(super) fn begin(&mut self, owner: &Owner, key: &IdempotencyKey, fingerprint: u64) -> Found {
        self.forget_expired(owner);
        let ledger = self.owners.entry(owner.clone()).or_default();
        if let Some(entry) = ledger.entries.get(key) {
            return match &entry.stage {
                _ if entry.fingerprint != fingerprint => Found::OtherPayload,
                Stage::Running(running) => Found::Running(running.clone()),
                Stage::Done(outcome) => Found::Done(outcome.clone()),
            };
        }
        // The limit is never 0, so the owner gets its first entry here.
        if ledger.running >= self.bounds.owner_running {
            return Found::TooMany(self.bounds.owner_running);
        }
        let (sender, receiver) = watch::channel(None);
        ledger.running += 1;
        ledger.entries.insert(key.clone(), Entry { fingerprint, stage: Stage::Running(receiver) });
        Found::New(sender)
    }

    /// Stores the result of a running handler.
    pub(super) fn remember(&mut self, owner: &Owner, key: &IdempotencyKey, outcome: Option<Arc<Outcome>>) {
        let Bounds { max_keys, max_bytes, owner_keys, owner_bytes, .. } = self.bounds;
        let cost = cost(owner, key, outcome.as_deref());
        let number = self.next_number;
        self.next_number += 1;
        self.change(owner, |ledger| {
            // Removed when its connection ended.
            let Some(entry) = ledger.entries.get_mut(key) else { return };
            entry.stage = Stage::Done(outcome);
            ledger.running -= 1;
            ledger.bytes += cost;
            ledger.results.push_back(Remembered { number, key: key.clone(), since: Instant::now(), cost });
            while ledger.results.len() > owner_keys || ledger.bytes > owner_bytes {
                ledger.forget_oldest();
            }
        });
        while self.keys > max_keys || self.bytes > max_bytes {
            let Some((_, Reverse(oldest))) = self.by_share.last() else { return };
            let Some(owner) = self.by_age.get(oldest).cloned() else { return };
            self.change(&owner, Ledger::forget_oldest);
        }
    }

    /// Removes a running handler: a retry runs it again.
    pub(super) fn forget(&mut self, owner: &Owner, key: &IdempotencyKey) {
        self.change(owner, |ledger| {
            if ledger.entries.remove(key).is_some() {
                ledger.running -= 1;
            }
        });
    }

    /// Removes everything of an owner.
    pub(super) fn forget_owner(&mut self, owner: &Owner) {
        self.change(owner, |ledger| *ledger = Ledger::default());
    }

    fn forget_expired(&mut self, owner: &Owner) {
        let max_age = self.bounds.max_age;
        // All of this owner's, because the requested key may be among them.
        while self.owners.get(owner).is_some_and(|ledger| ledger.is_expired(max_age)) {
            self.change(owner, Ledger::forget_oldest);
        }
        for _ in 0..MAX_EXPIRED_AT_ONCE {
            let Some(oldest) = self.by_age.first_key_value().map(|(_, owner)| owner.clone()) else { return };
            if !self.owners.get(&oldest).is_some_and(|ledger| ledger.is_expired(max_age)) {
                return;
            }
            self.change(&oldest, Ledger::forget_oldest);
        }
    }

    /// Changes an owner's ledger, and updates the orders and sums.
    fn change(&mut self, owner: &Owner, change: impl FnOnce(&mut Ledger)) {
        let Some(ledger) = self.owners.get_mut(owner) else { return };
        let (before, keys, bytes) = (ledger.rank(&self.bounds), ledger.results.len(), ledger.bytes);
        change(ledger);
        let after = ledger.rank(&self.bounds);
        self.keys = self.keys - keys + ledger.results.len();
        self.bytes = self.bytes - bytes + ledger.bytes;
        if before != after {
            if let Some(rank @ (_, Reverse(oldest))) = before {
                self.by_share.remove(&rank);
                self.by_age.remove(&oldest);
            }
            if let Some(rank @ (_, Reverse(oldest))) = after {
                self.by_share.insert(rank);
                self.by_age.insert(oldest, owner.clone());
            }
        }
        if ledger.entries.is_empty() {
            self.owners.remove(owner);
            // Gives memory back after a peak.
            if self.owners.len() < self.owners.capacity() / 8 {
                self.owners.shrink_to(self.owners.len() * 2);
            }
        }
    }

    /// Owners, results, bytes.
    #[cfg(test)]
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        assert_eq!(self.by_age.len(), self.by_share.len());
        let (mut results, mut bytes) = (0, 0);
        for ledger in self.owners.values() {
            assert_eq!(ledger.entries.len(), ledger.results.len() + ledger.running);
            assert!(ledger.rank(&self.bounds).is_none_or(|rank| self.by_share.contains(&rank)));
            (results, bytes) = (results + ledger.results.len(), bytes + ledger.bytes);
        }
        assert_eq!((self.keys, self.bytes), (results, bytes));
        (self.owners.len(), results, bytes)
    }
}

impl Ledger {
    /// The owner's share of the store, by keys or by bytes, whichever is larger, and its oldest result.
    fn rank(&self, bounds: &Bounds) -> Option<(u128, Reverse<u64>)> {
        let oldest = self.results.front()?.number;
        // Fractions of each limit, multiplied by both limits.
        let keys = self.results.len() as u128 * bounds.max_bytes as u128;
        let bytes = self.bytes as u128 * bounds.max_keys as u128;
        Some((keys.max(bytes), Reverse(oldest)))
    }

    fn is_expired(&self, max_age: Duration) -> bool {
        self.results.front().is_some_and(|oldest| oldest.since.elapsed() >= max_age)
    }

    fn forget_oldest(&mut self) {
        if let Some(Remembered { key, cost, .. }) = self.results.pop_front() {
            self.entries.remove(&key);
            self.bytes -= cost;
            if self.results.len() < self.results.capacity() / 8 {
                self.results.shrink_to(self.results.len() * 2);
                self.entries.shrink_to(self.entries.len() * 2);
            }
        }
    }
}

/// The approximate bytes that storing a result takes.
fn cost(owner: &Owner, key: &IdempotencyKey, outcome: Option<&Outcome>) -> usize {
    let owner = match owner {
        Owner::User(user) => user.len(),
        Owner::Connection(_) => 0,
    };
    let fixed = size_of::<(Owner, Ledger)>() + 2 * size_of::<(IdempotencyKey, Entry)>() + size_of::<Remembered>();
    fixed + ORDER_COST + owner + key.key.len() + outcome.map_or(0, Outcome::cost)
}

#[cfg(test)]
mod tests;
