//! Memory that maps keep for what is gone.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash},
};

/// A map that was much larger once does not stay so.
pub(crate) fn shrink<K: Eq + Hash, V, S: BuildHasher>(map: &mut HashMap<K, V, S>) {
    if map.capacity() > 4 * map.len() + 64 {
        map.shrink_to(2 * map.len());
    }
}
