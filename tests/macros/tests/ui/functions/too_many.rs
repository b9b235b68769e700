#![allow(unused)]

use switchboard::{Conn, WsRouter, ws_message};

#[ws_message("JOIN")]
struct Join {}

async fn join(a: Conn, b: Conn, c: Conn, d: Conn, e: Conn, f: Conn, g: Conn, h: Conn, i: Conn, msg: Join) {}

fn main() {
    let _: WsRouter = WsRouter::new().on(join);
}
