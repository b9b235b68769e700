#![allow(unused)]

use axum::http::StatusCode;
use switchboard::WsRouter;

struct User;

fn main() {
    let users = WsRouter::<(), User>::new().authenticate(async || Ok::<_, StatusCode>(User));
    let _ = WsRouter::<(), User>::new().merge(users);
    let users = WsRouter::<(), User>::new().authenticate(async || Ok::<_, StatusCode>(User));
    let _ = WsRouter::<(), User>::new().nest("user.", users);
}
