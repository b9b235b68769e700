//! A contract as it is read here.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use switchboard_core::Contract;

/// Who sends a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Direction {
    /// The client.
    Inbound,
    /// The server.
    Outbound,
}

impl Direction {
    pub(crate) const BOTH: [Self; 2] = [Self::Inbound, Self::Outbound];

    pub(crate) fn reverse(self) -> Self {
        match self {
            Self::Inbound => Self::Outbound,
            Self::Outbound => Self::Inbound,
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

/// The contract of one route under its name.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) contract: Contract,
    definitions: [BTreeMap<String, Value>; 2],
}

impl Source {
    pub(crate) fn new(name: &str, contract: &Contract) -> Self {
        let read = |side: &switchboard_core::contract::Side| {
            side.definitions.iter().map(|(name, schema)| (name.clone(), value(schema))).collect()
        };
        let definitions = [read(&contract.inbound), read(&contract.outbound)];
        Self { name: name.to_owned(), contract: contract.clone(), definitions }
    }

    pub(crate) fn definitions(&self, direction: Direction) -> &BTreeMap<String, Value> {
        &self.definitions[direction as usize]
    }

    pub(crate) fn side(&self, direction: Direction) -> &switchboard_core::contract::Side {
        match direction {
            Direction::Inbound => &self.contract.inbound,
            Direction::Outbound => &self.contract.outbound,
        }
    }
}

/// A schema as JSON.
pub(crate) fn value(schema: &switchboard_core::contract::Schema) -> Value {
    // It is JSON: it can be written.
    serde_json::to_value(schema).unwrap_or(Value::Bool(true))
}

/// The direction and the name that a `$ref` of a contract refers to.
pub(crate) fn referred(reference: &str) -> Option<(Direction, String)> {
    let found = Direction::BOTH.into_iter().find_map(|direction| {
        let name = reference.strip_prefix("#/")?.strip_prefix(direction.key())?.strip_prefix("/$defs/")?;
        Some((direction, name))
    });
    let (direction, name) = found?;
    Some((direction, name.replace("~1", "/").replace("~0", "~")))
}

/// A list of schemas under a keyword.
pub(crate) fn schemas<'a>(schema: &'a Map<String, Value>, keyword: &str) -> Option<&'a [Value]> {
    schema.get(keyword).and_then(Value::as_array).map(Vec::as_slice)
}
