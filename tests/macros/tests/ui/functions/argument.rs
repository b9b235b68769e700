#![allow(unused)]

use switchboard::{WsRouter, ws_message};

#[ws_message("JOIN")]
struct Join {}

async fn join(text: String, msg: Join) {}

fn main() {
    let _: WsRouter = WsRouter::new().on(join);
}
