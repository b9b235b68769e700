//! Attributes and types with which serde does not read a value that a handler could keep.
#![allow(unused)]

use std::borrow::Cow;

use switchboard::{ws_message, ws_meta, ws_payload, ws_rpc};

#[ws_message("BORROWS")]
struct Borrows {
    #[serde(borrow)]
    text: Cow<'static, str>,
    #[serde(rename = "b", borrow = "'static")]
    other: Cow<'static, str>,
}

#[ws_rpc("REFERS", response = Owned)]
struct Refers {
    text: &'static str,
    bytes: &'static [u8],
    path: &'static std::path::Path,
}

#[ws_message("OWNED")]
struct Owned {
    text: Cow<'static, str>,
    #[serde(skip)]
    skipped: &'static str,
}

#[ws_meta]
struct Lang {
    text: &'static str,
}

struct Span {
    secs: u64,
}

#[ws_message("REMOTE")]
#[serde(remote = "Span")]
struct Remote {
    secs: u64,
}

#[ws_payload]
#[serde(remote = "Span")]
struct WithRules {
    #[validate(range(max = 9))]
    secs: u64,
}

fn main() {}
