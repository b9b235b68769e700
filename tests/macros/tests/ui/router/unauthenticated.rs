#![allow(unused)]

use axum::Router;
use switchboard::{Conn, WsRouter, ws_message, ws_route};

struct User;

#[ws_message("JOIN")]
struct Join {}

async fn join(conn: Conn<User>, msg: Join) {}

fn main() {
    let ws = WsRouter::new().on(join);
    let _: Router = Router::new().route("/ws", ws_route(ws));
}
