use serde::Deserialize;
use switchboard::WsMessage;

#[derive(Deserialize, WsMessage)]
#[ws(type = "JOIN")]
struct Join {
    room: String,
}

fn main() {}
