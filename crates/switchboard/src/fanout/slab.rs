//! Numbered places, used again when they are free; and never many more of them than are taken.

/// How many places are kept beyond four times as many as are taken.
const SPARE: usize = if cfg!(test) { 1 } else { 64 };

/// How many values move in one call at most.
const MOVES: usize = if cfg!(test) { 4 } else { 64 };

/// How many places are given back in one call at most.
const STEPS: usize = 16 * MOVES;

/// There is no free place.
const NONE: usize = usize::MAX;

#[derive(Debug)]
pub(crate) struct Slab<T> {
    places: Vec<Entry<T>>,
    taken: usize,
    /// The free place that is taken next.
    free: usize,
}

#[derive(Debug)]
enum Entry<T> {
    Occupied(T),
    /// In the list of those that are free, between these.
    Vacant {
        before: usize,
        after: usize,
    },
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { places: Vec::new(), taken: 0, free: NONE }
    }
}

impl<T> Slab<T> {
    /// How many are taken.
    pub(crate) fn len(&self) -> usize {
        self.taken
    }

    /// Behind the last place.
    pub(crate) fn end(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn get(&self, key: usize) -> Option<&T> {
        match self.places.get(key)? {
            Entry::Occupied(value) => Some(value),
            Entry::Vacant { .. } => None,
        }
    }

    pub(crate) fn get_mut(&mut self, key: usize) -> Option<&mut T> {
        match self.places.get_mut(key)? {
            Entry::Occupied(value) => Some(value),
            Entry::Vacant { .. } => None,
        }
    }

    #[inline]
    pub(crate) fn insert(&mut self, value: T) -> usize {
        self.taken += 1;
        let key = self.free;
        let Some(place) = self.places.get_mut(key) else {
            self.places.push(Entry::Occupied(value));
            return self.places.len() - 1;
        };
        if let Entry::Vacant { after, .. } = std::mem::replace(place, Entry::Occupied(value)) {
            self.free = after;
            if let Some(Entry::Vacant { before, .. }) = self.places.get_mut(after) {
                *before = NONE;
            }
        }
        key
    }

    #[inline]
    pub(crate) fn remove(&mut self, key: usize) -> Option<T> {
        let place = self.places.get_mut(key)?;
        if matches!(place, Entry::Vacant { .. }) {
            return None;
        }
        let removed = std::mem::replace(place, Entry::Vacant { before: NONE, after: self.free });
        if let Some(Entry::Vacant { before, .. }) = self.places.get_mut(self.free) {
            *before = key;
        }
        self.free = key;
        self.taken -= 1;
        match removed {
            Entry::Occupied(value) => Some(value),
            Entry::Vacant { .. } => None,
        }
    }

    /// Whether there are too many places.
    #[inline]
    pub(crate) fn is_sparse(&self) -> bool {
        self.places.len() > 4 * self.taken + SPARE
    }

    /// Gives back some of the places at the end if there are too many. What stands there moves to
    /// another, unless `may_move` says no to what, from where and to where: then this ends. Whether
    /// another call would give back more.
    ///
    /// After each removal, this keeps up: one removal makes four places too many at most.
    pub(crate) fn compact(&mut self, mut may_move: impl FnMut(&T, usize, usize) -> bool) -> bool {
        let (mut moves, mut may_go_on) = (MOVES, true);
        for _ in 0..STEPS {
            if !self.is_sparse() || moves == 0 {
                break;
            }
            let (from, to) = (self.places.len() - 1, self.free);
            match &self.places[from] {
                Entry::Occupied(value) => {
                    if !may_move(value, from, to) {
                        may_go_on = false;
                        break;
                    }
                    moves -= 1;
                    // The last is not free, so that one is before it.
                    self.unlink(to);
                    self.places.swap_remove(to);
                }
                Entry::Vacant { .. } => {
                    self.unlink(from);
                    self.places.pop();
                }
            }
        }
        if self.places.capacity() > 4 * self.places.len() + SPARE {
            self.places.shrink_to(2 * self.places.len());
        }
        may_go_on && self.is_sparse()
    }

    /// Takes a place out of the list of the free ones.
    fn unlink(&mut self, key: usize) {
        let Entry::Vacant { before, after } = self.places[key] else { return };
        match self.places.get_mut(before) {
            Some(Entry::Vacant { after: next, .. }) => *next = after,
            _ => self.free = after,
        }
        if let Some(Entry::Vacant { before: previous, .. }) = self.places.get_mut(after) {
            *previous = before;
        }
    }
}
