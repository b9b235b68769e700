//! Topics by their names: what stands for one, and the rules of those whose names begin alike.

mod authorizer;
mod conflation_key;
mod filter;
mod handle;
mod name;
mod options;
mod rules;
mod typed;

pub(crate) use self::{
    authorizer::{Authorizer, Refusal},
    conflation_key::ConflationKey,
    filter::Filter,
    name::AsStr,
    rules::{RuleId, TopicRule, TopicRules},
};
pub use self::{
    handle::TopicHandle,
    name::{TopicName, TopicOf},
    options::{SlowConsumer, TopicOptions},
    typed::Topic,
};
