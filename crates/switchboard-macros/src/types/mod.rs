//! The parts of types in messages: derives, wire names and schemas; and the attributes
//! `#[ws_payload]` and `#[ws_meta]`, which add them.

mod bounds;
pub(crate) mod case;
pub(crate) mod derives;
mod field_types;
pub(crate) mod integers;
pub(crate) mod meta;
mod optional;
pub(crate) mod owned;
pub(crate) mod payload;
pub(crate) mod schemas;
