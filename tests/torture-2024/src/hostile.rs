//! Everything that generated code could stumble over, without the prelude.

#![no_implicit_prelude]
#![allow(dead_code, unused_macros, non_camel_case_types, non_upper_case_globals, reason = "they are only in the way")]

// The derive of `JsonSchema` calls methods of these traits of the prelude.
use ::std::{
    convert::{From as _, Into as _},
    string::ToString as _,
};
#[allow(unused_imports, reason = "their methods have the same name")]
use ::switchboard::{Message, validator::Validate as _};
use ::switchboard::{WsMessages, ws_handler, ws_handlers, ws_message, ws_meta, ws_payload, ws_rpc};

// Names of the prelude, with other meanings.
pub struct Some;
pub struct None;
pub struct Ok;
pub struct Err;
pub struct Option;
pub struct Result;
pub struct String;
pub struct Vec;
pub struct Box;
pub trait Default {}
pub trait Clone {}
pub trait From {}
pub trait Into {}
pub trait Iterator {}
pub trait Drop {}
pub trait Send {}
pub trait Sync {}
pub trait Serialize {}
pub trait Deserialize {}
pub trait Rules {}
pub const __none: u8 = 0;
pub const at: u8 = 0;
pub const report: u8 = 0;
pub const value: u8 = 0;

// Names of crates.
pub mod core {}
pub mod std {}
pub mod alloc {}
pub mod serde {}
pub mod serde_json {}
pub mod schemars {}
pub mod validator {}
pub mod switchboard {}

macro_rules! vec {
    ($($tokens:tt)*) => {
        compile_error!("the wrong macro")
    };
}
macro_rules! format {
    ($($tokens:tt)*) => {
        compile_error!("the wrong macro")
    };
}
macro_rules! matches {
    ($($tokens:tt)*) => {
        compile_error!("the wrong macro")
    };
}
macro_rules! assert {
    ($($tokens:tt)*) => {
        compile_error!("the wrong macro")
    };
}

/// Methods for every type, under the names that generated code might call.
pub trait Everything {
    fn validate(&self) {}
    fn validate_length(&self) {}
    fn check(&self) {}
    fn count(&self) {}
    fn field(&self) {}
    fn item(&self) {}
    fn broken(&self) {}
    fn custom(&self) {}
    fn eq(&self) {}
    fn as_ref(&self) {}
    fn serialize(&self) {}
    fn schema(&self) {}
}

impl<T: ?::core::marker::Sized> Everything for T {}

pub fn even(number: u32) -> ::core::result::Result<(), ::switchboard::validator::ValidationError> {
    if number.is_multiple_of(2) {
        return ::core::result::Result::Ok(());
    }
    ::core::result::Result::Err(::switchboard::validator::ValidationError::new("even"))
}

fn short(text: &str) -> ::core::result::Result<(), ::switchboard::validator::ValidationError> {
    if text.len() < 20 {
        return ::core::result::Result::Ok(());
    }
    ::core::result::Result::Err(::switchboard::validator::ValidationError::new("short"))
}

fn whole(all: &All) -> ::core::result::Result<(), ::switchboard::validator::ValidationError> {
    if all.count != 404 {
        return ::core::result::Result::Ok(());
    }
    ::core::result::Result::Err(::switchboard::validator::ValidationError::new("whole"))
}

/// A message that is also inside another one.
#[ws_message("ITEM")]
pub struct Item {
    #[validate(length(min = 1))]
    pub name: ::std::string::String,
}

#[ws_message("HOLDS_ITEMS")]
pub struct HoldsItems {
    #[validate(nested)]
    pub first: Item,
    #[validate(nested)]
    pub maybe: ::core::option::Option<Item>,
    #[validate(nested)]
    pub rows: ::std::vec::Vec<::std::vec::Vec<Item>>,
}

#[ws_meta]
pub struct Meta {
    #[validate(length(min = 1))]
    pub room_id: ::core::option::Option<::std::string::String>,
}

/// Every rule.
#[ws_message("ALL", meta = Meta)]
#[validate(schema(function = whole))]
pub struct All {
    #[validate(length(min = 1, max = 50), custom(function = short))]
    pub text: ::std::string::String,
    #[validate(range(min = 1, exclusive_max = 500), custom(function = "even"))]
    pub count: u32,
    #[validate(range(max = 10))]
    pub big: ::core::option::Option<u128>,
    #[validate(email)]
    pub mail: ::core::option::Option<::std::string::String>,
    #[validate(url, contains(pattern = "x"))]
    pub site: ::core::option::Option<::std::string::String>,
    #[validate(ip(v4 = true), does_not_contain(pattern = "127"))]
    pub address: ::core::option::Option<::std::string::String>,
    #[validate(required)]
    pub needed: ::core::option::Option<u8>,
    #[validate(non_control_character, must_match(other = text, code = "same", message = "must be the text"))]
    pub again: ::std::string::String,
    #[validate(nested)]
    pub shape: Shape,
}

#[ws_payload]
pub enum Shape {
    Point,
    Circle {
        #[validate(range(min = 0.0))]
        outer_radius: f64,
    },
    Line(#[validate(length(equal = 2))] ::std::vec::Vec<f64>),
}

#[ws_message("SUM")]
pub struct Sum {
    pub result: f64,
}

#[ws_payload]
pub struct Step {
    pub done: u32,
}

#[ws_rpc("ADD", response = Sum, progress = Step)]
pub struct Add {
    pub a: f64,
    pub b: f64,
}

#[derive(WsMessages)]
pub enum Out {
    Sum(Sum),
    Item(Item),
}

#[ws_handler(data = ())]
pub async fn hear(item: Item) {
    ::core::mem::drop(item);
}

pub struct Chat;

#[ws_handlers(out = Out)]
impl Chat {
    async fn add(&self, add: Add) -> Sum {
        Sum { result: add.a + add.b }
    }

    async fn item(_: Item) {}
}
