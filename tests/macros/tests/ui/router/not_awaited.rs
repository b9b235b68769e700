#![allow(unused)]

use switchboard::{Conn, WsError, ws_message};

#[ws_message("SAY")]
struct Say {}

async fn say(conn: Conn, say: Say) -> Result<(), WsError> {
    conn.publish("lobby", say)?;
    Ok(())
}

async fn enter(conn: Conn, _: Say) -> Result<(), WsError> {
    conn.subscribe("lobby")?;
    Ok(())
}

fn main() {}
