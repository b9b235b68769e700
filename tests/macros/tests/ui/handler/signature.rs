#![allow(unused)]

use switchboard::{Conn, Message, ws_handler, ws_message};

#[ws_message("JOIN")]
struct Join {}

#[ws_handler]
fn not_async(msg: Join) {}

#[ws_handler]
async fn generic<M: Message>(msg: M) {}

#[ws_handler]
async fn hidden(msg: impl Message) {}

#[ws_handler]
async fn nothing() {}

#[ws_handler]
async fn many(a: Conn, b: Conn, c: Conn, d: Conn, e: Conn, f: Conn, g: Conn, h: Conn, i: Conn, msg: Join) {}

#[ws_handler(dta = u8, state = u8, state = u8, error = u8)]
async fn options(msg: Join) {}

#[ws_handler]
struct NoFunction;

struct Chat;

impl Chat {
    #[ws_handler]
    async fn method(&self, msg: Join) {}
}

fn main() {}
