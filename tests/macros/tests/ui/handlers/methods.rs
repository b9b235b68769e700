#![allow(unused)]

use std::sync::Arc;

use switchboard::{Conn, Message, ws_handlers, ws_message};

#[ws_message("JOIN")]
struct Join {}

struct Chat;

#[ws_handlers]
impl Chat {
    #[ws(on)]
    fn not_async(&self, msg: Join) {}

    #[ws(on_open)]
    fn hook_not_async(&self, conn: Conn) {}

    async fn mutable(&mut self, msg: Join) {}

    async fn consuming(self, msg: Join) {}

    async fn arc(self: Arc<Self>, msg: Join) {}

    async fn generic<M: Message>(&self, msg: M) {}

    async fn hidden(&self, msg: impl Message) {}

    #[ws(on)]
    async fn nothing(&self) {}

    async fn many(&self, a: Conn, b: Conn, c: Conn, d: Conn, e: Conn, f: Conn, g: Conn, h: Conn, i: Conn, msg: Join) {}

    #[ws(on_opend)]
    async fn misspelt(&self, conn: Conn) {}

    #[ws(skip, on)]
    async fn two_roles(&self, msg: Join) {}

    #[ws]
    async fn no_role(&self, msg: Join) {}

    fn router(&self) {}
}

fn main() {}
