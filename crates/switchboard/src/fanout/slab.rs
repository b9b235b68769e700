//! A slab: values in numbered slots, which are reused when vacant. Unlike other slabs, it shrinks.

/// A slab is sparse with more slots than four times its values plus this.
const SPARE: usize = if cfg!(test) { 1 } else { 64 };

/// The maximum number of values moved by one call of [`Slab::compact`].
const MOVES: usize = if cfg!(test) { 4 } else { 64 };

/// The maximum number of slots removed by one call of [`Slab::compact`].
const STEPS: usize = 16 * MOVES;

/// No slot.
const NONE: usize = usize::MAX;

#[derive(Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Slot<T>>,
    len: usize,
    /// The first of the list of vacant slots.
    free: usize,
}

#[derive(Debug)]
enum Slot<T> {
    Occupied(T),
    /// In the list of vacant slots, between these.
    Vacant {
        before: usize,
        after: usize,
    },
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), len: 0, free: NONE }
    }
}

impl<T> Slab<T> {
    /// Returns the number of values.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the number of slots: every key is smaller.
    pub(crate) fn end(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn get(&self, key: usize) -> Option<&T> {
        match self.slots.get(key)? {
            Slot::Occupied(value) => Some(value),
            Slot::Vacant { .. } => None,
        }
    }

    pub(crate) fn get_mut(&mut self, key: usize) -> Option<&mut T> {
        match self.slots.get_mut(key)? {
            Slot::Occupied(value) => Some(value),
            Slot::Vacant { .. } => None,
        }
    }

    #[inline]
    pub(crate) fn insert(&mut self, value: T) -> usize {
        self.len += 1;
        let key = self.free;
        let Some(slot) = self.slots.get_mut(key) else {
            self.slots.push(Slot::Occupied(value));
            return self.slots.len() - 1;
        };
        if let Slot::Vacant { after, .. } = std::mem::replace(slot, Slot::Occupied(value)) {
            self.free = after;
            if let Some(Slot::Vacant { before, .. }) = self.slots.get_mut(after) {
                *before = NONE;
            }
        }
        key
    }

    #[inline]
    pub(crate) fn remove(&mut self, key: usize) -> Option<T> {
        let slot = self.slots.get_mut(key)?;
        if matches!(slot, Slot::Vacant { .. }) {
            return None;
        }
        let removed = std::mem::replace(slot, Slot::Vacant { before: NONE, after: self.free });
        if let Some(Slot::Vacant { before, .. }) = self.slots.get_mut(self.free) {
            *before = key;
        }
        self.free = key;
        self.len -= 1;
        match removed {
            Slot::Occupied(value) => Some(value),
            Slot::Vacant { .. } => None,
        }
    }

    /// Whether there are too many vacant slots.
    #[inline]
    pub(crate) fn is_sparse(&self) -> bool {
        self.slots.len() > 4 * self.len + SPARE
    }

    /// Removes some slots at the end of a sparse slab. Values there move to vacant slots, if
    /// `may_move` allows it for the value, its key and its new key; otherwise this stops. Returns
    /// whether another call could remove more.
    ///
    /// A call after each removal suffices: one removal makes at most four more slots superfluous.
    pub(crate) fn compact(&mut self, mut may_move: impl FnMut(&T, usize, usize) -> bool) -> bool {
        let (mut moves, mut may_go_on) = (MOVES, true);
        for _ in 0..STEPS {
            if !self.is_sparse() || moves == 0 {
                break;
            }
            let (from, to) = (self.slots.len() - 1, self.free);
            match &self.slots[from] {
                Slot::Occupied(value) => {
                    if !may_move(value, from, to) {
                        may_go_on = false;
                        break;
                    }
                    moves -= 1;
                    // The last slot is occupied, so the vacant one is before it.
                    self.unlink(to);
                    self.slots.swap_remove(to);
                }
                Slot::Vacant { .. } => {
                    self.unlink(from);
                    self.slots.pop();
                }
            }
        }
        if self.slots.capacity() > 4 * self.slots.len() + SPARE {
            self.slots.shrink_to(2 * self.slots.len());
        }
        may_go_on && self.is_sparse()
    }

    /// Removes a slot from the list of vacant ones.
    fn unlink(&mut self, key: usize) {
        let Slot::Vacant { before, after } = self.slots[key] else { return };
        match self.slots.get_mut(before) {
            Some(Slot::Vacant { after: next, .. }) => *next = after,
            _ => self.free = after,
        }
        if let Some(Slot::Vacant { before: previous, .. }) = self.slots.get_mut(after) {
            *previous = before;
        }
    }
}
