//! Topics by their names: what stands for one, and the rules of those whose names begin alike.

mod authorizer;
mod conflation_key;
mod filter;
mod name;
mod options;
mod rules;
pub(crate) mod typed;

pub(crate) use self::{
    authorizer::{Authorizer, Refusal},
    conflation_key::ConflationKey,
    filter::{AnyMessageRef, Filter},
    name::AsStr,
    rules::{Rule, RuleId, Rules},
};
pub use self::{
    name::{TopicName, TopicOf},
    options::{SlowConsumer, TopicOptions},
};
