//! Topics: their names, their handles and the rules of their patterns.

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
