#![allow(unused)]

use axum::Router;
use switchboard::WsRouter;

fn main() {
    let ws = WsRouter::<()>::new();
    let _: Router = Router::new().route("/ws", ws);
}
