#![allow(unused)]

use std::rc::Rc;

use switchboard::{Conn, ws_handler, ws_message};

#[ws_message("JOIN")]
struct Join {}

#[ws_handler]
async fn join(conn: Conn, msg: Join) {
    let shared = Rc::new(());
    std::future::ready(()).await;
    drop((shared, conn, msg));
}

fn main() {}
