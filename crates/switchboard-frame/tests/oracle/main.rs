//! The decoder and tungstenite are given the same bytes and must find the same.
//!
//! tungstenite looks at frames when they are whole and is more lenient in places; [`compare`] has
//! the list of these differences, and each holds for one rule only.
//!
//! `PROPTEST_CASES=20000 cargo test --release -p switchboard-frame --test oracle` looks harder.

mod compare;
mod decoders;
mod streams;

use proptest::prelude::*;
use switchboard_frame::Role;

use self::{
    compare::compare,
    decoders::{Found, ours, theirs},
    streams::{cuts, mutation, stream},
};

/// More than any generated stream has.
const NO_LIMIT: usize = 1 << 20;

/// As many cases as the environment asks for. No files about failures: what is found becomes a test.
fn config() -> ProptestConfig {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 400;
    }
    config
}

/// Not below 125, for tungstenite refuses control frames of that size, too, then.
fn limit() -> impl Strategy<Value = usize> {
    prop_oneof![1 => 125..300usize, 2 => 65_500..65_600usize]
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![2 => Just(Role::Server), 1 => Just(Role::Client)]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn valid_streams_are_what_was_sent(
        (role, stream, cuts) in role().prop_flat_map(|role| (Just(role), stream(role), cuts())),
    ) {
        let bytes = stream.bytes();
        let cuts = cuts.of(bytes.len());
        let expected = Found { events: stream.events(), close_code: None };
        prop_assert_eq!(&ours(role, NO_LIMIT, &bytes, &cuts).found(), &expected);
        prop_assert_eq!(&theirs(role, NO_LIMIT, &bytes, &cuts), &expected);
    }

    #[test]
    fn limits_are_found_by_both(
        (role, stream, cuts) in role().prop_flat_map(|role| (Just(role), stream(role), cuts())),
        limit in limit(),
    ) {
        let bytes = stream.bytes();
        compare(role, limit, &bytes, &cuts.of(bytes.len()))?;
    }

    #[test]
    fn mutated_streams_are_the_same_to_both(
        (role, stream, cuts) in role().prop_flat_map(|role| (Just(role), stream(role), cuts())),
        mutations in proptest::collection::vec(mutation(), 1..4),
        limit in limit(),
    ) {
        let bytes = stream.mutated(&mutations);
        compare(role, limit, &bytes, &cuts.of(bytes.len()))?;
    }

    #[test]
    fn arbitrary_bytes_are_the_same_to_both(
        role in role(),
        bytes in proptest::collection::vec(any::<u8>(), 0..60),
        cuts in cuts(),
    ) {
        compare(role, 1000, &bytes, &cuts.of(bytes.len()))?;
    }
}
