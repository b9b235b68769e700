use serde::{Deserialize, Serialize};
use switchboard::ws_message;

// The attribute does not see a derive above it.
#[derive(Serialize, Deserialize)]
#[ws_message("POST")]
struct Post {}

fn main() {}
