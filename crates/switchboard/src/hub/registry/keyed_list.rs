//! A list that keeps the order of insertion and finds its items by key.

use std::{borrow::Borrow, collections::HashMap, fmt, hash::Hash, mem, sync::Arc};

/// Lists of up to this many items are searched linearly; longer ones have an index.
const MAX_UNINDEXED: usize = if cfg!(test) { 2 } else { 32 };

/// An item that carries its key.
pub(crate) trait Keyed {
    type Key: Hash + Eq + ?Sized;
    /// The key in the index; cheap to clone.
    type OwnedKey: Hash + Eq + Borrow<Self::Key>;

    fn key(&self) -> &Self::Key;

    fn owned_key(&self) -> Self::OwnedKey;
}

/// Looking up, adding and removing an item takes constant time on average. The caller ensures that
/// keys are unique. An empty list does not allocate.
pub(crate) enum KeyedList<T: Keyed> {
    Few(Vec<T>),
    Many(Box<Indexed<T>>),
}

pub(crate) struct Indexed<T: Keyed> {
    /// `None` for a removed item; at most half of the slots.
    slots: Vec<Option<T>>,
    index: HashMap<T::OwnedKey, usize>,
}

impl<T: Keyed> Default for KeyedList<T> {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl<T: Keyed> fmt::Debug for KeyedList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedList").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// A set of names.
impl Keyed for Arc<str> {
    type Key = str;
    type OwnedKey = Self;

    fn key(&self) -> &str {
        self
    }

    fn owned_key(&self) -> Self {
        Self::clone(self)
    }
}

impl<T: Keyed> KeyedList<T> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Few(items) => items.len(),
            Self::Many(many) => many.index.len(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let (few, many): (&[T], &[Option<T>]) = match self {
            Self::Few(items) => (items, &[]),
            Self::Many(many) => (&[], &many.slots),
        };
        few.iter().chain(many.iter().flatten())
    }

    pub(crate) fn get(&self, key: &T::Key) -> Option<&T> {
        match self {
            Self::Few(items) => items.iter().find(|item| item.key() == key),
            Self::Many(many) => many.slots.get(*many.index.get(key)?)?.as_ref(),
        }
    }

    pub(crate) fn get_mut(&mut self, key: &T::Key) -> Option<&mut T> {
        match self {
            Self::Few(items) => items.iter_mut().find(|item| item.key() == key),
            Self::Many(many) => many.slots.get_mut(*many.index.get(key)?)?.as_mut(),
        }
    }

    pub(crate) fn contains(&self, key: &T::Key) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn push(&mut self, item: T) {
        match self {
            Self::Few(items) if items.len() < MAX_UNINDEXED => items.push(item),
            Self::Few(items) => {
                let mut many = Indexed { slots: Vec::new(), index: HashMap::new() };
                mem::take(items).into_iter().chain([item]).for_each(|item| many.push(item));
                *self = Self::Many(Box::new(many));
            }
            Self::Many(many) => many.push(item),
        }
    }

    pub(crate) fn remove(&mut self, key: &T::Key) -> Option<T> {
        match self {
            Self::Few(items) => {
                let index = items.iter().position(|item| item.key() == key)?;
                Some(items.remove(index))
            }
            Self::Many(many) => {
                let removed = many.remove(key)?;
                if many.index.len() <= MAX_UNINDEXED / 2 {
                    *self = Self::Few(mem::take(&mut many.slots).into_iter().flatten().collect());
                }
                Some(removed)
            }
        }
    }

    /// Takes all items.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = T> + use<T> {
        let (few, many) = match mem::take(self) {
            Self::Few(items) => (items, Vec::new()),
            Self::Many(many) => (Vec::new(), many.slots),
        };
        few.into_iter().chain(many.into_iter().flatten())
    }
}

impl<T: Keyed> Indexed<T> {
    fn push(&mut self, item: T) {
        self.index.insert(item.owned_key(), self.slots.len());
        self.slots.push(Some(item));
    }

    fn remove(&mut self, key: &T::Key) -> Option<T> {
        let index = self.index.remove(key)?;
        let removed = self.slots.get_mut(index)?.take();
        if self.slots.len() > 2 * self.index.len() {
            self.close_gaps();
        }
        removed
    }

    /// Amortised over the removals since the last call.
    fn close_gaps(&mut self) {
        self.slots.retain(Option::is_some);
        self.slots.shrink_to(2 * self.slots.len());
        self.index = self
            .slots
            .iter()
            .enumerate()
            .filter_map(|(index, item)| Some((item.as_ref()?.owned_key(), index)))
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    struct Item(u8, usize);

    impl Keyed for Item {
        type Key = u8;
        type OwnedKey = u8;

        fn key(&self) -> &u8 {
            &self.0
        }

        fn owned_key(&self) -> u8 {
            self.0
        }
    }

    proptest! {
        #[test]
        fn a_keyed_list_behaves_like_a_plain_list(ops in vec((0_u8..12, any::<bool>()), 0..200)) {
            let (mut list, mut model) = (KeyedList::default(), Vec::new());
            for (number, (key, adds)) in ops.into_iter().enumerate() {
                let index = model.iter().position(|item: &Item| item.0 == key);
                prop_assert_eq!(list.contains(&key), index.is_some());
                match (adds, index) {
                    (true, None) => {
                        list.push(Item(key, number));
                        model.push(Item(key, number));
                    }
                    (true, Some(index)) => {
                        list.get_mut(&key).unwrap().1 = number;
                        model[index].1 = number;
                    }
                    (false, index) => {
                        prop_assert_eq!(list.remove(&key), index.map(|index| model.remove(index)));
                    }
                }
                prop_assert_eq!(list.iter().copied().collect::<Vec<_>>(), model.clone());
                prop_assert_eq!(list.len(), model.len());
                if let KeyedList::Many(many) = &list {
                    prop_assert!(many.slots.len() <= 2 * list.len());
                }
            }
            prop_assert_eq!(list.take().collect::<Vec<_>>(), model);
            prop_assert!(list.len() == 0 && matches!(list, KeyedList::Few(_)));
        }
    }
}
