//! Counting by key, for all connections: token buckets of `governor`, in a table of bounded size.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};
use parking_lot::Mutex;

use super::window::{Policy, Wait};
use crate::ConnId;

/// So many parts, each with a lock of its own.
const SHARDS: usize = 16;

/// Who is counted.
///
/// Of keys only hashes are kept: 128 bits of two hashers with keys that nobody knows, so that a client can neither
/// choose two that are the same nor have much stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    User(Arc<str>),
    Connection(ConnId),
    Ip(IpAddr),
    Custom(Box<str>),
}

impl Key {
    /// Of IPv6 only the network: a client has as many addresses there as it likes.
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

/// The time that the caller has: a bucket is asked right after it was set.
#[derive(Debug, Clone, Default)]
struct Now(Arc<std::sync::atomic::AtomicU64>);

impl Clock for Now {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.0.load(std::sync::atomic::Ordering::Relaxed))
    }
}

type Bucket = RateLimiter<NotKeyed, InMemoryState, Now, NoOpMiddleware<Nanos>>;

struct Entry {
    bucket: Bucket,
    /// From then on it is as good as new.
    full_at: u64,
}

#[derive(Default)]
struct Shard {
    entries: HashMap<[u64; 2], Entry, RandomState>,
    /// Not looked for entries to be forgotten before.
    sweep_at: u64,
    now: Now,
}

/// The buckets of all keys.
pub(super) struct Keyed {
    shards: [Mutex<Shard>; SHARDS],
    hashers: [RandomState; 2],
    max_per_shard: usize,
}

impl Keyed {
    pub(super) fn new(max_keys: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            hashers: [RandomState::new(), RandomState::new()],
            max_per_shard: max_keys.div_ceil(SHARDS).max(1),
        }
    }

    /// `cost` is at most the maximum. A key that does not fit into the table any more waits.
    pub(super) fn take(&self, policy: Policy, key: &Key, now: u64, cost: NonZeroU32) -> Result<(), Wait> {
        let hash = self.hash(key);
        let Some(shard) = self.shard(hash) else { return Ok(()) };
        let mut shard = shard.lock();
        shard.now.0.store(now, std::sync::atomic::Ordering::Relaxed);
        if !shard.entries.contains_key(&hash) {
            shard.sweep(now, policy.window);
            if shard.entries.len() >= self.max_per_shard {
                return Err(Wait(shard.sweep_at.saturating_sub(now).max(1)));
            }
        }
        let Shard { entries, now: clock, .. } = &mut *shard;
        let entry = entries.entry(hash).or_insert_with(|| Entry { bucket: bucket(policy, clock), full_at: 0 });
        entry.full_at = now.saturating_add(policy.window);
        match entry.bucket.check_n(cost) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => {
                let wait = not_until.wait_time_from(Nanos::from(now));
                Err(Wait(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX)))
            }
            // The cost was compared with the maximum before.
            Err(_) => Err(Wait(policy.window)),
        }
    }

    /// Forgets what came so far of a key.
    pub(super) fn reset(&self, key: &Key) {
        let hash = self.hash(key);
        if let Some(shard) = self.shard(hash) {
            shard.lock().entries.remove(&hash);
        }
    }

    fn hash(&self, key: &Key) -> [u64; 2] {
        self.hashers.each_ref().map(|hasher| hasher.hash_one(key))
    }

    fn shard(&self, [hash, _]: [u64; 2]) -> Option<&Mutex<Shard>> {
        self.shards.get(usize::try_from(hash % SHARDS as u64).ok()?)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().entries.len()).sum()
    }
}

impl Shard {
    /// Forgets whoever has not come for a window's time, at most ten times a window.
    fn sweep(&mut self, now: u64, window: u64) {
        if now >= self.sweep_at {
            self.sweep_at = now.saturating_add((window / 10).max(1));
            self.entries.retain(|_, entry| entry.full_at > now);
            // After a crowd.
            if self.entries.len() < self.entries.capacity() / 4 {
                self.entries.shrink_to(self.entries.len() * 2);
            }
        }
    }
}

fn bucket(policy: Policy, clock: &Now) -> Bucket {
    let max = NonZeroU32::new(policy.max).unwrap_or(NonZeroU32::MIN);
    let period = Duration::from_nanos((policy.window / u64::from(max.get())).max(1));
    let quota = Quota::with_period(period).unwrap_or(Quota::per_second(max)).allow_burst(max);
    RateLimiter::direct_with_clock(quota, clock.clone())
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
                // From any time on: as many as fit at once, and one more for each part of a window.
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
    fn keys_are_bounded_and_those_that_are_known_do_not_suffer() {
        let policy = Policy { max: 2, window: 1000 };
        let keyed = Keyed::new(SHARDS);
        assert_eq!(keyed.take(policy, &user("known"), 1, ONE), Ok(()));
        let refused = (0..1000).filter(|n| keyed.take(policy, &user(&n.to_string()), 1, ONE).is_err()).count();
        assert!(keyed.len() <= SHARDS && refused >= 1000 - SHARDS, "{refused}");
        assert_eq!(keyed.take(policy, &user("known"), 2, ONE), Ok(()));
        // A window later there is room again.
        assert!((0..100).any(|n| keyed.take(policy, &user(&format!("x{n}")), 2002, ONE).is_ok()));
        assert!(keyed.len() <= SHARDS);
    }

    #[test]
    fn a_crowd_is_forgotten() {
        let policy = Policy { max: 2, window: 1000 };
        let keyed = Keyed::new(100_000);
        for n in 0..20_000 {
            assert_eq!(keyed.take(policy, &user(&n.to_string()), 1, ONE), Ok(()));
        }
        assert_eq!(keyed.len(), 20_000);
        // As soon as others come, in each part of the table.
        for n in 0..1000 {
            assert_eq!(keyed.take(policy, &user(&format!("x{n}")), 1002, ONE), Ok(()));
        }
        assert_eq!(keyed.len(), 1000);
        let capacity: usize = keyed.shards.iter().map(|shard| shard.lock().entries.capacity()).sum();
        assert!(capacity < 4000, "{capacity}");
    }
}
