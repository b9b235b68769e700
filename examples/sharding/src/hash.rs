//! Maps names to shards.

use std::num::NonZeroU32;

/// Returns the shard of a name: 0 to `shards` - 1.
///
/// The hash is the one that Java and many JavaScript programs use for strings, over UTF-16 code
/// units, so that load balancers and workers in other languages agree with this one.
///
/// ```
/// use std::num::NonZeroU32;
///
/// let ten = NonZeroU32::new(10).unwrap();
/// assert_eq!(sharding::shard_of("room:general", ten), 3);
/// ```
#[must_use]
pub fn shard_of(name: &str, shards: NonZeroU32) -> u32 {
    let hash = name
        .encode_utf16()
        .fold(0_i32, |hash, unit| hash.wrapping_shl(5).wrapping_sub(hash).wrapping_add(i32::from(unit)));
    hash.cast_unsigned() % shards
}
