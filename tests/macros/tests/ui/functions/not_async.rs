#![allow(unused)]

use switchboard::{WsError, WsRouter, ws_message};

#[ws_message("JOIN")]
struct Join {}

fn join(msg: Join) -> Result<(), WsError> {
    Ok(())
}

fn main() {
    let _: WsRouter = WsRouter::new().on(join);
}
