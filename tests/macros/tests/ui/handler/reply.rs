#![allow(unused)]

use switchboard::{WsError, WsMessages, ws_handler, ws_message, ws_rpc};

#[ws_message("JOIN")]
struct Join {}

#[ws_message("SUM")]
struct Sum {}

#[ws_rpc("ADD", response = Sum)]
struct Add {}

#[derive(WsMessages)]
enum ServerMessage {
    Sum(Sum),
}

#[ws_handler]
async fn other_response(msg: Add) -> Result<Join, WsError> {
    Ok(Join {})
}

#[ws_handler]
async fn no_response(msg: Add) {}

#[ws_handler]
async fn no_message(msg: Join) -> Result<String, WsError> {
    Ok(String::new())
}

#[ws_handler]
async fn other_error(msg: Add) -> Result<Sum, String> {
    Ok(Sum {})
}

#[ws_handler(out = ServerMessage)]
async fn no_member(msg: Join) -> Join {
    msg
}

#[ws_handler(out = ServerMessage)]
async fn member(msg: Join) -> Sum {
    Sum {}
}

fn main() {}
