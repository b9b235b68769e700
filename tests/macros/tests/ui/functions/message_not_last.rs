#![allow(unused)]

use switchboard::{Conn, WsRouter, ws_message};

#[ws_message("JOIN")]
struct Join {}

async fn join(join: Join, conn: Conn) {}

fn main() {
    let _ = WsRouter::<()>::new().on(join);
}
