//! Numbered places, used again when they are free; and never many more of them than are taken.

/// So many places more than four times as many as are taken are kept.
const SPARE: usize = if cfg!(test) { 1 } else { 64 };

/// So many move at once at most.
const MOVES: usize = if cfg!(test) { 4 } else { 64 };

/// So many places are given back at once at most.
const STEPS: usize = 16 * MOVES;

/// There is no free place.
const NONE: usize = usize::MAX;

#[derive(Debug)]
pub(super) struct Places<T> {
    places: Vec<Place<T>>,
    taken: usize,
    /// The free place that is taken next.
    free: usize,
}

#[derive(Debug)]
enum Place<T> {
    Taken(T),
    /// In the list of those that are free, between these.
    Free {
        before: usize,
        after: usize,
    },
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { places: Vec::new(), taken: 0, free: NONE }
    }
}

impl<T> Places<T> {
    /// How many are taken.
    pub(super) fn len(&self) -> usize {
        self.taken
    }

    /// Behind the last place.
    pub(super) fn end(&self) -> usize {
        self.places.len()
    }

    pub(super) fn get(&self, key: usize) -> Option<&T> {
        match self.places.get(key)? {
            Place::Taken(value) => Some(value),
            Place::Free { .. } => None,
        }
    }

    pub(super) fn get_mut(&mut self, key: usize) -> Option<&mut T> {
        match self.places.get_mut(key)? {
            Place::Taken(value) => Some(value),
            Place::Free { .. } => None,
        }
    }

    #[inline]
    pub(super) fn insert(&mut self, value: T) -> usize {
        self.taken += 1;
        let key = self.free;
        let Some(place) = self.places.get_mut(key) else {
            self.places.push(Place::Taken(value));
            return self.places.len() - 1;
        };
        if let Place::Free { after, .. } = std::mem::replace(place, Place::Taken(value)) {
            self.free = after;
            if let Some(Place::Free { before, .. }) = self.places.get_mut(after) {
                *before = NONE;
            }
        }
        key
    }

    #[inline]
    pub(super) fn remove(&mut self, key: usize) -> Option<T> {
        let place = self.places.get_mut(key)?;
        if matches!(place, Place::Free { .. }) {
            return None;
        }
        let removed = std::mem::replace(place, Place::Free { before: NONE, after: self.free });
        if let Some(Place::Free { before, .. }) = self.places.get_mut(self.free) {
            *before = key;
        }
        self.free = key;
        self.taken -= 1;
        match removed {
            Place::Taken(value) => Some(value),
            Place::Free { .. } => None,
        }
    }

    /// Whether there are too many places.
    #[inline]
    pub(super) fn is_untidy(&self) -> bool {
        self.places.len() > 4 * self.taken + SPARE
    }

    /// Gives back some of the places at the end if there are too many. What stands there moves to
    /// another, unless `may_move` says no to what, from where and to where: then this ends. Whether
    /// another call would give back more.
    ///
    /// After each removal, this keeps up: one removal makes four places too many at most.
    pub(super) fn tidy(&mut self, mut may_move: impl FnMut(&T, usize, usize) -> bool) -> bool {
        let (mut moves, mut may_go_on) = (MOVES, true);
        for _ in 0..STEPS {
            if !self.is_untidy() || moves == 0 {
                break;
            }
            let (from, to) = (self.places.len() - 1, self.free);
            match &self.places[from] {
                Place::Taken(value) => {
                    if !may_move(value, from, to) {
                        may_go_on = false;
                        break;
                    }
                    moves -= 1;
                    // The last is not free, so that one is before it.
                    self.unlink(to);
                    self.places.swap_remove(to);
                }
                Place::Free { .. } => {
                    self.unlink(from);
                    self.places.pop();
                }
            }
        }
        if self.places.capacity() > 4 * self.places.len() + SPARE {
            self.places.shrink_to(2 * self.places.len());
        }
        may_go_on && self.is_untidy()
    }

    /// Takes a place out of the list of the free ones.
    fn unlink(&mut self, key: usize) {
        let Place::Free { before, after } = self.places[key] else { return };
        match self.places.get_mut(before) {
            Some(Place::Free { after: next, .. }) => *next = after,
            _ => self.free = after,
        }
        if let Some(Place::Free { before: previous, .. }) = self.places.get_mut(after) {
            *previous = before;
        }
    }
}
