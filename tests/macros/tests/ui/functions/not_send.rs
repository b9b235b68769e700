#![allow(unused)]

use std::rc::Rc;

use switchboard::{WsRouter, ws_message};

#[ws_message("JOIN")]
struct Join {}

async fn join(msg: Join) {
    let shared = Rc::new(());
    std::future::ready(()).await;
    drop((shared, msg));
}

fn main() {
    let _: WsRouter = WsRouter::new().on(join);
}
