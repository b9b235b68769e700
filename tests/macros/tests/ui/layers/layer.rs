#![allow(unused)]

//! What is no layer of messages, and one for connections with other data.

use switchboard::{RouteOptions, WsRequest, WsRouter, middleware, ws_message};

#[ws_message("PING")]
struct Ping;

struct User {
    is_admin: bool,
}

async fn ping(_: Ping) {}

struct NotALayer;

fn main() {
    let admins = middleware::guard(|request: &WsRequest<User>| request.data().is_admin);
    let _ = WsRouter::<(), User>::new().on(ping).layer(NotALayer);
    let _ = WsRouter::<(), u32>::new().on(ping).layer(admins);
    let _ = WsRouter::<(), User>::new().on_with(ping, RouteOptions::new().layer(NotALayer));
}
