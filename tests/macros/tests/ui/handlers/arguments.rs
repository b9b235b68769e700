#![allow(unused)]

use switchboard::{Conn, WsError, ws_handlers, ws_message, ws_rpc};

struct User;

#[ws_message("JOIN")]
struct Join {}

#[ws_message("SUM")]
struct Sum {}

#[ws_rpc("ADD", response = Sum)]
struct Add {}

struct Chat;

#[ws_handlers(data = User)]
impl Chat {
    async fn no_extractor(&self, text: String, msg: Join) {}

    async fn other_data(&self, conn: Conn<u8>, msg: Join) {}

    async fn message_first(&self, msg: Join, conn: Conn<User>) {}

    async fn other_response(&self, msg: Add) -> Result<Join, WsError> {
        Ok(Join {})
    }

    async fn no_response(msg: Add) {}

    #[ws(skip)]
    async fn not_a_handler(&self, text: String) {}
}

fn main() {}
