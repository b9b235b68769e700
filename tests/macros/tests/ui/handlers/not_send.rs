#![allow(unused)]

use std::rc::Rc;

use switchboard::{Conn, ws_handlers, ws_message};

#[ws_message("JOIN")]
struct Join {}

struct Chat;

#[ws_handlers]
impl Chat {
    async fn join(&self, conn: Conn, msg: Join) {
        let shared = Rc::new(());
        std::future::ready(()).await;
        drop((shared, conn, msg));
    }
}

fn main() {}
