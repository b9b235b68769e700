//! Which server of a cluster has which slots.

use std::{collections::BTreeSet, str};

use redis::Value;
use switchboard_core::broker::{BrokerError, BrokerErrorKind};

use crate::{
    address::Address,
    layout::{PARTITIONS, slot},
};

/// The master of each partition, by the answer to `CLUSTER SLOTS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Topology {
    masters: Vec<Option<Address>>,
}

impl Topology {
    /// Reads the answer of the server at `asked`.
    pub(super) fn read(answer: &Value, asked: &Address) -> Result<Self, BrokerError> {
        let unreadable = || {
            let detail = format!("{asked} answers CLUSTER SLOTS with what cannot be read");
            BrokerError::new(BrokerErrorKind::Unavailable, detail)
        };
        let Value::Array(ranges) = answer else { return Err(unreadable()) };
        let mut masters = vec![None; PARTITIONS];
        for range in ranges {
            let Value::Array(range) = range else { return Err(unreadable()) };
            let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = range.as_slice() else {
                return Err(unreadable());
            };
            let [host, Value::Int(port), ..] = master.as_slice() else { return Err(unreadable()) };
            let host = match host {
                Value::BulkString(host) => str::from_utf8(host).map_err(|_| unreadable())?,
                _ => "",
            };
            // A server that does not know its own address leaves it out: it is the one that was asked.
            let host = if host.is_empty() { asked.host.as_str() } else { host };
            let port = u16::try_from(*port).map_err(|_| unreadable())?;
            let master = Address { host: host.to_owned(), port, tls: asked.tls };
            for (partition, owner) in masters.iter_mut().enumerate() {
                if (*first..=*last).contains(&i64::from(slot(partition))) {
                    *owner = Some(master.clone());
                }
            }
        }
        Ok(Self { masters })
    }

    pub(super) fn master(&self, partition: usize) -> Option<&Address> {
        self.masters.get(partition)?.as_ref()
    }

    /// Returns the masters that have partitions.
    pub(super) fn masters(&self) -> BTreeSet<&Address> {
        self.masters.iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Address {
        Address { host: "seed".into(), port: 7000, tls: false }
    }

    fn range(first: i64, last: i64, host: Value, port: i64) -> Value {
        let master = Value::Array(vec![host, Value::Int(port), Value::BulkString(b"id".to_vec())]);
        Value::Array(vec![Value::Int(first), Value::Int(last), master])
    }

    #[test]
    fn each_partition_has_the_master_of_its_slot() {
        let answer = Value::Array(vec![
            range(0, 8191, Value::BulkString(b"10.0.0.1".to_vec()), 7001),
            range(8192, 12287, Value::Nil, 7000),
        ]);
        let topology = Topology::read(&answer, &asked()).unwrap();
        assert_eq!(topology.master(0).unwrap().to_string(), "10.0.0.1:7001");
        assert_eq!(topology.master(64).unwrap().to_string(), "seed:7000");
        assert_eq!(topology.master(127), None);
        assert_eq!(topology.masters().len(), 2);
    }

    #[test]
    fn anything_else_is_an_error() {
        for answer in [
            Value::Okay,
            Value::Array(vec![Value::Okay]),
            Value::Array(vec![Value::Array(vec![])]),
            Value::Array(vec![range(0, 1, Value::Nil, 70_000)]),
            Value::Array(vec![range(0, 1, Value::BulkString(vec![0xff]), 7000)]),
        ] {
            assert!(Topology::read(&answer, &asked()).is_err(), "{answer:?}");
        }
    }
}
