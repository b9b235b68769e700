//! Clients and documents from the contract of a [Switchboard](https://docs.rs/switchboard) route.
//!
//! `WsRouter::contract` makes the contract. From it come:
//!
//! - [`typescript`]: types of all messages, and the value for the client `switchboard-client`
//! - [`asyncapi`]: a document of AsyncAPI 3.0.0
//! - [`json_schema`]: JSON Schema of all frames
//! - [`diff`]: what changed between two contracts, and whether old clients notice
//!
//! - [`TypeScript::validators`]: validators of all types and messages, with Standard Schema
//!
//! Where no program builds the page, [`TypeScript::javascript`] writes an ES module, and [`TypeScript::standalone`] puts
//! the client beside the file, so that no package of npm is needed.
//!
//! A test fails when a checked-in file is stale: [`Generated::check`]. The program `switchboard` does the same from the
//! command line.
//!
//! # Types
//!
//! What clients send has the types that serde reads, what the server sends those that serde writes. Where they differ,
//! as with a default, the type has two forms: `Profile`, which clients get, and `ProfileInput`, which they send.
//!
//! | Rust | TypeScript |
//! |---|---|
//! | integers up to 32 bits, floats, `NonZero…` | `number`. serde_json writes `null` for a float that is not finite |
//! | `u64`, `i64`, `usize`, `isize`, `u128`, `i128` | `number` if a range proves that it fits, or with `#[ws(safe)]`; `string` with `#[ws(string)]`; else refused |
//! | `String`, `char`, `Uuid`, dates of chrono | `string` |
//! | `rust_decimal::Decimal` | `string`, and in what clients send `string \| number` |
//! | types of time, and other types without a schema | what `#[schemars(with = "…")]` on the field says |
//! | a field with `#[serde(with = "…")]` | the same, else `unknown` |
//! | `std::time::Duration` | refused, because of its `u64`: choose a unit, with `#[serde(with = "…")]` |
//! | `bytes::Bytes`, `Vec<u8>` | `number[]` |
//! | `()`, unit structs in a field | `null` |
//! | `Option<T>`, `Option<Option<T>>` | `T \| null`; in what clients send optional, too |
//! | `#[serde(default)]` | optional in what clients send |
//! | `#[serde(skip_serializing_if = "…")]` | optional in what clients get |
//! | `Option<T>` with `#[serde(skip_serializing_if = "Option::is_none")]` | `x?: T` in what clients get; `x?: T \| null` where the type derives `JsonSchema` by itself |
//! | `#[serde(rename = "…")]`, `#[serde(alias = "…")]` | the name; an alias is not shown |
//! | newtypes | what is inside |
//! | tuples, and arrays of up to eight items | tuples |
//! | `Vec`, sets, longer arrays | `T[]` |
//! | maps with keys that are strings or numbers | `{ [key: string]: T }` |
//! | maps with keys of an enum | an object with optional properties |
//! | enums without fields | a union of strings |
//! | enums with fields, in each of serde's forms | a union of objects, which `switch` narrows where there is a tag |
//! | `#[serde(flatten)]` | its fields, `&` its variants, or an index signature |
//! | generic types | a type for each use, such as `PageForProfile` where there are several |
//! | `serde_json::Value`, types without `JsonSchema` | `unknown` |

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
