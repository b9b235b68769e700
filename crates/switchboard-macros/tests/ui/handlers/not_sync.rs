#![allow(unused)]

use std::cell::Cell;

use switchboard::{ws_handlers, ws_message};

#[ws_message("JOIN")]
struct Join {}

struct Chat {
    joined: Cell<u32>,
}

#[ws_handlers]
impl Chat {
    async fn join(&self, msg: Join) {
        self.joined.set(1);
    }
}

fn main() {}
