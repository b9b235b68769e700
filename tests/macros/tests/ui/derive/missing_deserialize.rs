use serde::Serialize;
use switchboard::WsMessage;

#[derive(Serialize, WsMessage)]
#[ws(type = "JOIN")]
struct Join {
    room: String,
}

fn main() {}
