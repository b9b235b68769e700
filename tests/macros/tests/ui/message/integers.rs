use serde::{Deserialize, Serialize};
use switchboard::{WsMessage, ws_message, ws_payload};

#[ws_message("ORDER")]
struct Order {
    #[ws(strng)]
    id: u64,
}

#[ws_payload]
struct Item {
    #[serde(with = "switchboard::as_string")]
    #[ws(string)]
    id: u64,
}

#[derive(Serialize, Deserialize, WsMessage)]
#[ws(type = "PLAIN")]
struct Plain {
    #[ws(safe)]
    id: u64,
}

#[ws_message("LIST")]
struct List {
    #[ws(string)]
    ids: Vec<u64>,
}

fn main() {}
