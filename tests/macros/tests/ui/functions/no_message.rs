#![allow(unused)]

use switchboard::{Conn, WsRouter};

struct Join {}

async fn join(conn: Conn, msg: Join) {}

fn main() {
    let _: WsRouter = WsRouter::new().on(join);
}
