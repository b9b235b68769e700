#![allow(unused)]

use switchboard::{ws_handlers, ws_message};

#[ws_message("JOIN")]
struct Join {}

struct Chat;
struct Generic<T>(T);

#[ws_handlers]
impl<T> Generic<T> {
    async fn join(&self, msg: Join) {}
}

trait Handlers {
    fn join(&self);
}

#[ws_handlers]
impl Handlers for Chat {
    fn join(&self) {}
}

#[ws_handlers(stat = u8, data = u8, data = u8)]
impl Chat {
    fn join(&self, msg: Join) {}
}

#[ws_handlers]
struct NoBlock;

fn main() {}
