//! What a limit has counted so far.

use std::num::NonZeroU32;

use tokio::time::Instant;

use super::{
    keyed::{Key, Keyed},
    window::{Fixed, Policy, Sliding, Wait},
};
use crate::conn::{SlotKey, Slots};

/// What is counted so far.
pub(super) struct State {
    /// Where connections keep theirs.
    slot: SlotKey,
    keyed: Option<Keyed>,
    since: Instant,
}

/// What a message counts for: a connection, with what is kept there, or a key.
pub(super) enum Counted<'a> {
    Sliding(&'a Slots),
    Fixed(&'a Slots),
    Key(Key),
}

impl State {
    /// With room for so many keys, if it is keys that are counted.
    pub(super) fn new(max_keys: Option<usize>) -> Self {
        Self { slot: SlotKey::new(), keyed: max_keys.map(Keyed::new), since: Instant::now() }
    }

    fn now(&self) -> u64 {
        // Not 0, which stands for never.
        u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// `cost` is at most the maximum.
    pub(super) fn take(&self, policy: Policy, counted: Counted<'_>, cost: NonZeroU32) -> Result<(), Wait> {
        let now = self.now();
        let taken = match counted {
            Counted::Sliding(slots) => self.sliding(slots, policy).map(|it| it.take(policy, now, cost.get())),
            Counted::Fixed(slots) => self.fixed(slots).map(|it| it.take(policy, now, cost.get())),
            Counted::Key(key) => self.keyed.as_ref().map(|it| it.take(policy, &key, now, cost)),
        };
        taken.unwrap_or(Ok(()))
    }

    /// Forgets what came so far.
    pub(super) fn reset(&self, policy: Policy, counted: &Counted<'_>) {
        match counted {
            Counted::Sliding(slots) => {
                if let Some(sliding) = self.sliding(slots, policy) {
                    sliding.reset(self.now());
                }
            }
            Counted::Fixed(slots) => {
                if let Some(fixed) = self.fixed(slots) {
                    fixed.reset();
                }
            }
            Counted::Key(key) => {
                if let Some(keyed) = &self.keyed {
                    keyed.reset(key);
                }
            }
        }
    }

    fn sliding<'a>(&self, slots: &'a Slots, policy: Policy) -> Option<&'a Sliding> {
        slots.get(self.slot, || Sliding::new(policy))
    }

    fn fixed<'a>(&self, slots: &'a Slots) -> Option<&'a Fixed> {
        slots.get(self.slot, Fixed::default)
    }
}
