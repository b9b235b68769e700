//! What a server says of itself, and what its errors mean.

use std::str;

use redis::{ServerError, Value};
use switchboard_core::broker::{BrokerError, BrokerErrorKind};

use crate::address::Address;

/// The oldest version that is supported, and the oldest for sharded channels.
const OLDEST: (u32, u32) = (6, 2);
const OLDEST_CLUSTER: (u32, u32) = (7, 0);

/// What a server has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Alone, perhaps with replicas.
    Standalone,
    /// The master that Sentinel named.
    Master,
    Sentinel,
    Cluster,
}

/// Checks the answer to `HELLO 3`.
pub(super) fn check_hello(answer: Value, address: &Address, expected: Expected) -> Result<(), BrokerError> {
    let rejected = |detail: String| Err(BrokerError::new(BrokerErrorKind::Rejected, format!("{address}: {detail}")));
    let entries = match answer {
        Value::Map(entries) => entries,
        Value::ServerError(error) => return Err(refusal(&error, address)),
        other => return rejected(format!("the answer to HELLO is {other:?}; is this a Redis or Valkey server?")),
    };
    let text = |key: &str| entries.iter().find(|(name, _)| text(name) == key).map_or("", |(_, value)| text(value));
    let (server, version) = (text("server"), text("version"));
    let needed = if expected == Expected::Cluster { OLDEST_CLUSTER } else { OLDEST };
    if parse_version(version).is_none_or(|version| version < needed) {
        let (major, minor) = needed;
        return rejected(format!("{server} {version} is too old; upgrade it to {major}.{minor} or later"));
    }
    match (expected, text("mode"), text("role")) {
        (Expected::Standalone | Expected::Master, "cluster", _) => {
            rejected("the server is part of a cluster; configure it with `RedisBroker::builder(url).cluster()`".into())
        }
        (Expected::Standalone | Expected::Master | Expected::Cluster, "sentinel", _) => rejected(
            "this is a Sentinel; name its master with `RedisBroker::builder(url).sentinel_master(\"mymaster\")`".into(),
        ),
        (Expected::Cluster, "standalone", _) => {
            rejected("the server has cluster mode off; leave out `.cluster()`, or set `cluster-enabled yes`".into())
        }
        (Expected::Sentinel, mode, _) if mode != "sentinel" => {
            rejected("this is not a Sentinel; leave out `.sentinel_master(…)`, or use the address of a Sentinel".into())
        }
        // It may be promoted in a moment, so a retry makes sense.
        (Expected::Master, _, role) if role != "master" => {
            let detail = format!("{address} is a {role}, although Sentinel named it as the master");
            Err(BrokerError::new(BrokerErrorKind::Unavailable, detail))
        }
        (Expected::Standalone, _, role) if role != "master" => rejected(format!(
            "the server is a {role}; messages published there reach nobody else. Use the master's address, or Sentinel"
        )),
        _ => Ok(()),
    }
}

fn text(value: &Value) -> &str {
    match value {
        Value::BulkString(bytes) => str::from_utf8(bytes).unwrap_or_default(),
        Value::SimpleString(text) => text,
        _ => "",
    }
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn refusal(error: &ServerError, address: &Address) -> BrokerError {
    let advice = match error.code() {
        "WRONGPASS" => "; check user and password in the URL (`redis://user:password@host:port`)",
        "NOAUTH" => "; the server wants a password: put it into the URL (`redis://:password@host:port`)",
        "NOPERM" => "; the user needs `+hello +client|setname +ping` and what the documentation of `RedisBroker` lists",
        "ERR" => "; Redis 6.2 or later, or Valkey, is needed, with the command HELLO enabled",
        _ => "",
    };
    let error = error_of_server(error);
    BrokerError::new(error.kind(), format!("{address}: {error}{advice}"))
}

/// Returns what an error of the server means for the operation. None of these operations was carried out.
pub(crate) fn error_of_server(error: &ServerError) -> BrokerError {
    let kind = match error.code() {
        // Of a server that starts, stops, or gives a slot away.
        "LOADING" | "MASTERDOWN" | "CLUSTERDOWN" | "MOVED" | "ASK" | "TRYAGAIN" | "BUSY" | "READONLY"
        | "NOREPLICAS" | "UNKILLABLE" | "MISCONF" => BrokerErrorKind::Unavailable,
        "OOM" => BrokerErrorKind::Overloaded,
        "ERR" if error.details().is_some_and(|details| details.contains("max number of clients")) => {
            BrokerErrorKind::Unavailable
        }
        _ => BrokerErrorKind::Rejected,
    };
    let details = error.details().unwrap_or_default();
    BrokerError::new(kind, format!("{} {details}", error.code()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(version: &str, mode: &str, role: &str) -> Value {
        let entry = |key: &str, value: &str| (Value::SimpleString(key.into()), Value::BulkString(value.into()));
        let entries = [("server", "redis"), ("version", version), ("mode", mode), ("role", role)];
        Value::Map(entries.map(|(key, value)| entry(key, value)).into())
    }

    fn check(answer: Value, expected: Expected) -> Result<(), String> {
        let address = Address { host: "h".into(), port: 1, tls: false };
        check_hello(answer, &address, expected).map_err(|error| error.to_string())
    }

    #[test]
    fn old_servers_are_refused_with_the_version_that_is_needed() {
        for version in ["6.2.0", "7.0.15", "9.1.2", "10.0"] {
            assert_eq!(check(hello(version, "standalone", "master"), Expected::Standalone), Ok(()), "{version}");
        }
        for version in ["6.0.16", "5.0", "", "x"] {
            let error = check(hello(version, "standalone", "master"), Expected::Standalone).unwrap_err();
            assert!(error.contains("upgrade it to 6.2 or later"), "{error}");
        }
        let error = check(hello("6.2.7", "cluster", "master"), Expected::Cluster).unwrap_err();
        assert!(error.contains("upgrade it to 7.0 or later"), "{error}");
    }

    #[test]
    fn a_server_of_another_mode_is_refused_with_the_setting_that_fits() {
        let cases = [
            ("cluster", "master", Expected::Standalone, "cluster()"),
            ("sentinel", "sentinel", Expected::Standalone, "sentinel_master"),
            ("standalone", "master", Expected::Cluster, "leave out `.cluster()`"),
            ("standalone", "master", Expected::Sentinel, "leave out `.sentinel_master"),
            ("standalone", "replica", Expected::Standalone, "Use the master's address"),
            ("standalone", "replica", Expected::Master, "Sentinel named it"),
        ];
        for (mode, role, expected, fix) in cases {
            let error = check(hello("7.0", mode, role), expected).unwrap_err();
            assert!(error.contains(fix), "{error}");
        }
    }

    #[test]
    fn what_is_not_redis_is_refused() {
        assert!(check(Value::Okay, Expected::Standalone).unwrap_err().contains("is this a Redis"));
    }
}
