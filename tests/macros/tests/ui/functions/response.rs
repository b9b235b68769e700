#![allow(unused)]

use switchboard::{WsError, WsRouter, ws_message, ws_rpc};

#[ws_message("SUM")]
struct Sum {}

#[ws_message("OTHER")]
struct Other {}

#[ws_rpc("ADD", response = Sum)]
struct Add {}

async fn add(msg: Add) -> Result<Other, WsError> {
    Ok(Other {})
}

fn main() {
    let _: WsRouter = WsRouter::new().on(add);
}
