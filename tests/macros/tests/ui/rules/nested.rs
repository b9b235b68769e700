//! Types in messages that lack `#[ws_payload]`.
#![allow(unused)]

use switchboard::{ws_message, ws_payload};

struct Item {
    name: String,
}

#[ws_message("CART")]
struct Cart {
    items: Vec<Option<Item>>,
}

#[ws_payload]
struct Page {
    #[validate(range(max = 100))]
    limit: u8,
    first: Item,
}

fn main() {}
