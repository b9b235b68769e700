#![allow(unused)]

use switchboard::{Conn, WsError, WsMessages, WsRouter, ws_message};

#[ws_message("JOIN")]
struct Join {}

#[ws_message("JOINED")]
struct Joined {}

#[derive(WsMessages)]
enum ServerMessage {
    Joined(Joined),
}

async fn sends(conn: Conn<(), ServerMessage>, msg: Join) -> Result<(), WsError> {
    conn.send(msg)?;
    Ok(())
}

async fn returns(msg: Join) -> Join {
    msg
}

fn main() {
    let _ = WsRouter::<(), ()>::sending::<ServerMessage>().on(sends).on(returns);
}
