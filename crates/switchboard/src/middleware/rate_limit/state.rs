//! The counts of a limit.

use std::num::NonZeroU32;

use tokio::time::Instant;

use super::{
    keyed::{Key, Keyed},
    window::{Fixed, Policy, Sliding, Wait},
};
use crate::conn::{LayerState, LayerStateKey};

/// The counts of a limit, or where they are kept.
pub(super) struct State {
    /// The slot in which connections keep their counts.
    slot: LayerStateKey,
    keyed: Option<Keyed>,
    since: Instant,
}

/// What a message is counted for: a connection, with its counts, or a key.
pub(super) enum Counted<'a> {
    Sliding(&'a LayerState),
    Fixed(&'a LayerState),
    Key(Key),
}

impl State {
    /// Creates the counts; `max_keys` for limits by key.
    pub(super) fn new(max_keys: Option<usize>) -> Self {
        Self { slot: LayerStateKey::new(), keyed: max_keys.map(Keyed::new), since: Instant::now() }
    }

    fn now(&self) -> u64 {
        // Not 0, which means never.
        u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// Counts a message. `cost` is at most the maximum.
    pub(super) fn take(&self, policy: Policy, counted: Counted<'_>, cost: NonZeroU32) -> Result<(), Wait> {
        let now = self.now();
        let taken = match counted {
            Counted::Sliding(layer_state) => {
                self.sliding(layer_state, policy).map(|it| it.take(policy, now, cost.get()))
            }
            Counted::Fixed(layer_state) => self.fixed(layer_state).map(|it| it.take(policy, now, cost.get())),
            Counted::Key(key) => self.keyed.as_ref().map(|it| it.take(policy, &key, now, cost)),
        };
        taken.unwrap_or(Ok(()))
    }

    /// Clears the counts.
    pub(super) fn reset(&self, policy: Policy, counted: &Counted<'_>) {
        match counted {
            Counted::Sliding(layer_state) => {
                if let Some(sliding) = self.sliding(layer_state, policy) {
                    sliding.reset(self.now());
                }
            }
            Counted::Fixed(layer_state) => {
                if let Some(fixed) = self.fixed(layer_state) {
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

    fn sliding<'a>(&self, layer_state: &'a LayerState, policy: Policy) -> Option<&'a Sliding> {
        layer_state.get(self.slot, || Sliding::new(policy))
    }

    fn fixed<'a>(&self, layer_state: &'a LayerState) -> Option<&'a Fixed> {
        layer_state.get(self.slot, Fixed::default)
    }
}
