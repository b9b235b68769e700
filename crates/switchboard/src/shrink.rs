//! Gives back memory of maps that were larger once.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash},
};

/// Shrinks a map whose capacity is more than four times its length.
pub(crate) fn shrink<K: Eq + Hash, V, S: BuildHasher>(map: &mut HashMap<K, V, S>) {
    if map.capacity() > 4 * map.len() + 64 {
        map.shrink_to(2 * map.len());
    }
}
