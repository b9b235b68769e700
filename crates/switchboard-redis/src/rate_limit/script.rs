//! The script that counts, and its commands.

use std::{num::NonZeroU32, sync::LazyLock, time::Duration};

use bytes::Bytes;
use redis::Value;
use sha1::{Digest, Sha1};
use switchboard_core::rate_limit::{RateLimitBucket, RateLimitOutcome};

use crate::command::Command;

/// A key is a hash with one field for each part; a field has the time at which its bucket is full again, in microseconds of
/// the server's clock (the theoretical arrival time of GCRA). Taking a token moves that time by a period.
///
/// Nothing is written for a denied attempt. A time beyond a full period from now cannot be: the clock was set back, or the
/// limit was lowered.
const TAKE: &str = "\
local max, cost, period = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local last = now + period * max
local full_at = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '') or now
full_at = math.min(math.max(full_at, now), last) + period * cost
if full_at > last then return full_at - last end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', full_at))
local ttl = math.ceil((full_at - now) / 1000)
if redis.call('PTTL', KEYS[1]) < ttl then redis.call('PEXPIRE', KEYS[1], ttl) end
return 0
";

/// The name of the script at the server.
static SHA: LazyLock<Bytes> = LazyLock::new(|| hex_sha1(TAKE.as_bytes()).into());

/// Lua counts in floating-point numbers, which are exact up to 2^53 microseconds: 285 years, of which 57 had passed in 2026.
const MAX_WINDOW: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The arguments of the script.
#[derive(Debug, Clone)]
pub(super) struct Take([Bytes; 5]);

impl Take {
    pub(super) fn new(key: Bytes, bucket: &RateLimitBucket<'_>, cost: NonZeroU32) -> Self {
        let window = u64::try_from(bucket.window.min(MAX_WINDOW).as_micros()).unwrap_or(u64::MAX);
        // Rounded up, so that never more is allowed than the limit says.
        let period = window.div_ceil(u64::from(bucket.max.get())).max(1);
        let part = Bytes::copy_from_slice(bucket.part.as_bytes());
        Self([key, part, bucket.max.to_string().into(), cost.to_string().into(), period.to_string().into()])
    }

    /// Runs the script, if the server has it.
    pub(super) fn by_name(&self) -> Command {
        self.command(Bytes::from_static(b"EVALSHA"), SHA.clone())
    }

    /// Runs the script, and leaves it with the server.
    pub(super) fn by_text(&self) -> Command {
        self.command(Bytes::from_static(b"EVAL"), Bytes::from_static(TAKE.as_bytes()))
    }

    fn command(&self, name: Bytes, script: Bytes) -> Command {
        let mut words = vec![name, script, Bytes::from_static(b"1")];
        words.extend_from_slice(&self.0);
        Command::Words(words)
    }
}

/// Reads the answer. `None` for what the script does not return.
pub(super) fn outcome(answer: &Value) -> Option<RateLimitOutcome> {
    match answer {
        Value::Int(0) => Some(RateLimitOutcome::Allowed),
        Value::Int(micros @ 1..) => {
            Some(RateLimitOutcome::Denied { retry_after: Duration::from_micros(micros.unsigned_abs()) })
        }
        _ => None,
    }
}

/// Whether the server does not have the script: it was restarted, or its scripts were flushed.
pub(super) fn is_missing(answer: &Value) -> bool {
    matches!(answer, Value::ServerError(error) if error.code() == "NOSCRIPT")
}

/// Returns the hash in hexadecimal digits, as Redis names scripts.
pub(crate) fn hex_sha1(text: &[u8]) -> String {
    Sha1::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(max: u32, window: Duration, cost: u32) -> Vec<Bytes> {
        let bucket = RateLimitBucket::new("", NonZeroU32::new(max).unwrap(), window).part("SAY");
        match Take::new("key".into(), &bucket, NonZeroU32::new(cost).unwrap()).by_name() {
            Command::Words(words) => words,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn arguments_are_those_that_the_script_reads() {
        let words = take(3, Duration::from_secs(1), 2);
        assert_eq!(words[0], "EVALSHA");
        assert_eq!(words[2..], ["1", "key", "SAY", "3", "2", "333334"].map(Bytes::from));
    }

    #[test]
    fn extreme_windows_are_numbers_that_lua_counts_exactly() {
        assert_eq!(take(u32::MAX, Duration::from_nanos(1), 1)[7], "1");
        let longest: u64 = str::from_utf8(&take(1, Duration::MAX, 1)[7]).unwrap().parse().unwrap();
        assert!(longest * 20 < 1 << 53, "with the time of day: {longest}");
    }

    #[test]
    fn answers_are_read_and_others_are_none() {
        assert_eq!(outcome(&Value::Int(0)), Some(RateLimitOutcome::Allowed));
        let denied = RateLimitOutcome::Denied { retry_after: Duration::from_micros(7) };
        assert_eq!(outcome(&Value::Int(7)), Some(denied));
        for other in [Value::Int(-1), Value::Nil, Value::Okay] {
            assert_eq!(outcome(&other), None);
        }
    }

    #[test]
    fn the_hash_is_that_of_redis() {
        assert_eq!(hex_sha1(b"return 1"), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
    }
}
