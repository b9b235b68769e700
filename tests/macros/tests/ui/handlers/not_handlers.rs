//! Methods that are no handlers, and data that is not named.
#![allow(unused)]

use switchboard::{Conn, ws_handlers, ws_message};

struct User;

#[ws_message("JOIN")]
struct Join {}

struct Chat;

#[ws_handlers]
impl Chat {
    async fn join(&self, conn: Conn, join: Join) {}

    async fn store(&self, text: String) {}
}

struct Users;

#[ws_handlers]
impl Users {
    async fn join(&self, conn: Conn<User>, join: Join) {}
}

fn main() {}
