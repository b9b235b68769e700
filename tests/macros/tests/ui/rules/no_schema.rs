use serde::{Deserialize, Serialize};
use switchboard::ws_message;

#[derive(Serialize, Deserialize)]
struct Foreign(u8);

#[ws_message("POST")]
struct Post {
    foreign: Foreign,
    #[schemars(with = "u8")]
    described: Foreign,
}

fn main() {}
