//! Limits by key, for all connections: token buckets in a table of bounded size.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{BuildHasher as _, RandomState},
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::Arc,
};

use parking_lot::Mutex;

use super::window::{Policy, Wait};
use crate::ConnId;

/// The maximum number of shards, each with its own lock.
const MAX_SHARDS: usize = 16;

/// The minimum size of a shard. In a smaller one, a flood of new keys would soon evict any other key.
const MIN_KEYS_PER_SHARD: usize = 1024;

/// How many full buckets are removed per message: more than the one that is added.
const MAX_FORGOTTEN_AT_ONCE: usize = 64;

/// What a bucket belongs to.
///
/// Only 128 bits of two randomly keyed hashes are stored, so that a client can neither construct a collision nor use
/// up memory with long keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    User(Arc<str>),
    Connection(ConnId),
    Ip(IpAddr),
    Custom(Box<str>),
}

impl Key {
    /// Of IPv6 only the first 64 bits: a client can use any address of its network.
    pub(super) fn of_ip(ip: IpAddr) -> Self {
        Self::Ip(match ip.to_canonical() {
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 => v4,
        })
    }
}

type KeyHash = [u64; 2];

/// Buckets as the times at which they are full again (GCRA's theoretical arrival time). A message moves that time by
/// the period in which one token is refilled.
#[derive(Default)]
struct Shard {
    full_at: HashMap<KeyHash, u64, RandomState>,
    /// Ordered from the least limited bucket.
    by_time: BTreeSet<(u64, KeyHash)>,
}

/// The buckets of all keys.
pub(super) struct Keyed {
    shards: Box<[Mutex<Shard>]>,
    hashers: [RandomState; 2],
    max_per_shard: usize,
}

impl Keyed {
    pub(super) fn new(max_keys: usize) -> Self {
        let shards = (max_keys / MIN_KEYS_PER_SHARD).clamp(1, MAX_SHARDS);
        Self {
            shards: (0..shards).map(|_| Mutex::default()).collect(),
            hashers: [RandomState::new(), RandomState::new()],
            max_per_shard: max_keys.div_ceil(shards).max(1),
        }
    }

    /// Takes tokens. `cost` is at most the maximum.
    ///
    /// If the table is full, a new key evicts the least limited one. Keys at their limits are evicted last, so that
    /// sending under many keys does not reset a limit. If all keys are at their limits, a new key starts with room for
    /// this one message, so that it is not locked out.
    pub(super) fn take(&self, policy: Policy, key: &Key, now: u64, cost: NonZeroU32) -> Result<(), Wait> {
        let hash = self.hash(key);
        let Some(shard) = self.shard(hash) else { return Ok(()) };
        let period = (policy.window / u64::from(policy.max.max(1))).max(1);
        let last = now.saturating_add(period.saturating_mul(u64::from(policy.max)));
        let cost = period.saturating_mul(u64::from(cost.get()));

        let mut shard = shard.lock();
        shard.forget_full(now);
        let known = shard.full_at.get(&hash).copied();
        let since = match known {
            Some(full_at) => full_at.max(now),
            None if shard.full_at.len() < self.max_per_shard => now,
            None => {
                let least_limited = shard.by_time.first().map_or(now, |(full_at, _)| *full_at);
                if least_limited.saturating_add(cost) > last { last - cost } else { now }
            }
        };
        let full_at = since.saturating_add(cost);
        if full_at > last {
            return Err(Wait(full_at - last));
        }
        if known.is_none() && shard.full_at.len() >= self.max_per_shard {
            shard.forget_least_limited();
        }
        shard.set(hash, known, full_at);
        Ok(())
    }

    /// Removes the bucket of a key.
    pub(super) fn reset(&self, key: &Key) {
        let hash = self.hash(key);
        if let Some(shard) = self.shard(hash) {
            let mut shard = shard.lock();
            if let Some(full_at) = shard.full_at.remove(&hash) {
                shard.by_time.remove(&(full_at, hash));
            }
        }
    }

    fn hash(&self, key: &Key) -> KeyHash {
        self.hashers.each_ref().map(|hasher| hasher.hash_one(key))
    }

    fn shard(&self, [hash, _]: KeyHash) -> Option<&Mutex<Shard>> {
        self.shards.get(usize::try_from(hash % self.shards.len() as u64).ok()?)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().full_at.len()).sum()
    }
}

impl Shard {
    fn set(&mut self, hash: KeyHash, before: Option<u64>, full_at: u64) {
        if let Some(before) = before {
            self.by_time.remove(&(before, hash));
        }
        self.full_at.insert(hash, full_at);
        self.by_time.insert((full_at, hash));
    }

    /// Removes full buckets, which equal new ones.
    fn forget_full(&mut self, now: u64) {
        for _ in 0..MAX_FORGOTTEN_AT_ONCE {
            if self.by_time.first().is_none_or(|(full_at, _)| *full_at > now) {
                break;
            }
            self.forget_least_limited();
        }
        // Gives memory back after a peak.
        if self.full_at.len() < self.full_at.capacity() / 8 {
            self.full_at.shrink_to(self.full_at.len() * 2);
        }
    }

    fn forget_least_limited(&mut self) {
        if let Some((_, hash)) = self.by_time.pop_first() {
            self.full_at.remove(&hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: NonZeroU32 = NonZeroU32::MIN;

    fn user(name: &str) -> Key {
        Key::User(name.into())
    }

    proptest! {
        #[test]
        fn a_bucket_never_gives_more_than_its_content_and_what_flows_in(
            max in 1u32..12,
            arrivals in prop::collection::vec((0u64..400, 1u32..4), 1..200),
        ) {
            let policy = Policy { max, window: 12_000 };
            let (keyed, mut now, mut taken) = (Keyed::new(16), 1, Vec::<(u64, u32)>::new());
            for (after, cost) in arrivals {
                now += after * 10;
                let cost = NonZeroU32::new(cost.min(max)).unwrap();
                if keyed.take(policy, &user("a"), now, cost).is_ok() {
                    taken.push((now, cost.get()));
                }
                // In any period: at most a burst, and one message per refilled token.
                for (index, (since, _)) in taken.iter().enumerate() {
                    let sum: u32 = taken[index..].iter().map(|(_, cost)| cost).sum();
                    let period = policy.window / u64::from(max);
                    prop_assert!(u64::from(sum) <= u64::from(max) + (now - since) / period);
                }
            }
        }
    }

    #[test]
    fn keys_are_counted_by_themselves() {
        let policy = Policy { max: 1, window: 1000 };
        let keyed = Keyed::new(1000);
        for key in [user("a"), user("b"), Key::Connection(ConnId::new()), Key::of_ip([1, 2, 3, 4].into())] {
            assert_eq!(keyed.take(policy, &key, 1, ONE), Ok(()));
            assert_eq!(keyed.take(policy, &key, 2, ONE), Err(Wait(999)), "{key:?}");
            assert_eq!(keyed.take(policy, &key, 1001, ONE), Ok(()));
        }
    }

    #[test]
    fn a_key_that_was_reset_is_as_good_as_new() {
        let policy = Policy { max: 1, window: 1000 };
        let keyed = Keyed::new(1000);
        for key in [user("a"), user("b")] {
            assert_eq!(keyed.take(policy, &key, 1, ONE), Ok(()));
        }
        keyed.reset(&user("a"));
        assert_eq!(keyed.take(policy, &user("a"), 2, ONE), Ok(()));
        assert_eq!(keyed.take(policy, &user("b"), 2, ONE), Err(Wait(999)));
        assert_eq!(keyed.len(), 2);
    }

    #[test]
    fn addresses_of_one_network_are_one_key() {
        let [one, other] = ["2001:db8::1", "2001:db8::2"].map(|ip| Key::of_ip(ip.parse().unwrap()));
        assert_eq!(one, other);
        assert_eq!(Key::of_ip("::ffff:1.2.3.4".parse().unwrap()), Key::of_ip([1, 2, 3, 4].into()));
        assert_ne!(one, Key::of_ip("2001:db9::1".parse().unwrap()));
    }

    #[test]
    fn a_full_table_takes_new_keys_and_forgets_no_limit() {
        for (slots, max) in [(16, 2), (16, 5), (3000, 3)] {
            let policy = Policy { max, window: 1_000_000 };
            let keyed = Keyed::new(slots);
            for _ in 0..max {
                assert_eq!(keyed.take(policy, &user("eve"), 1, ONE), Ok(()));
            }
            for n in 0..slots as u64 * 10 {
                assert_eq!(keyed.take(policy, &user(&n.to_string()), 2 + n, ONE), Ok(()), "{n} of {slots}");
                assert!(keyed.take(policy, &user("eve"), 2 + n, ONE).is_err(), "{n} of {slots}");
            }
            assert!(keyed.len() <= slots + MAX_SHARDS);
        }
    }

    #[test]
    fn a_new_key_has_one_message_when_all_keys_are_at_their_limits() {
        let policy = Policy { max: 3, window: 1_000_000 };
        let keyed = Keyed::new(8);
        for n in 0..8 {
            for _ in 0..3 {
                assert_eq!(keyed.take(policy, &user(&n.to_string()), 1, ONE), Ok(()));
            }
        }
        for n in 10..100 {
            assert_eq!(keyed.take(policy, &user(&n.to_string()), 2, ONE), Ok(()));
            assert!(keyed.take(policy, &user(&n.to_string()), 2, ONE).is_err());
        }
        assert_eq!(keyed.len(), 8);
        // A cost that fits only into a full bucket.
        assert_eq!(keyed.take(policy, &user("large"), 2, NonZeroU32::new(3).unwrap()), Ok(()));
    }

    #[test]
    fn a_crowd_is_forgotten() {
        let policy = Policy { max: 2, window: 1000 };
        let keyed = Keyed::new(100_000);
        for n in 0..20_000 {
            assert_eq!(keyed.take(policy, &user(&n.to_string()), 1, ONE), Ok(()));
        }
        assert_eq!(keyed.len(), 20_000);
        // As soon as other keys arrive, in each shard.
        for n in 0..1000 {
            assert_eq!(keyed.take(policy, &user(&format!("x{n}")), 1002, ONE), Ok(()));
        }
        assert_eq!(keyed.len(), 1000);
        let capacity: usize = keyed.shards.iter().map(|shard| shard.lock().full_at.capacity()).sum();
        assert!(capacity < 16_000, "{capacity}");
    }
}
