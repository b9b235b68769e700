use serde::{Deserialize, Serialize};
use switchboard::WsMessage;

#[derive(Serialize, Deserialize, WsMessage)]
#[ws(type = "JOIN")]
struct Join {
    #[validate(length(min = 1))]
    room: String,
}

fn main() {}
