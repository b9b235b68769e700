//! Clients and documents from the contract of a [Switchboard](https://docs.rs/switchboard) route.
//!
//! `WsRouter::contract` makes the contract. From it come:
//!
//! - [`typescript`]: types of all messages, and the value for the client `switchboard-client`
//! - [`asyncapi`]: a document of AsyncAPI 3.0.0
//! - [`json_schema`]: JSON Schema of all frames
//! - [`diff`]: what changed between two contracts, and whether old clients notice
//!
//! A test fails when a checked-in file is stale: [`Generated::check`].

mod diff;
mod document;
mod error;
mod model;
mod output;
mod typescript;

#[doc(inline)]
pub use self::{
    diff::{Change, Sender, Verdict, diff},
    document::{AsyncApi, asyncapi, json_schema},
    error::GenerateError,
    output::{CheckError, Generated},
    typescript::{TypeScript, route_name, typescript},
};
