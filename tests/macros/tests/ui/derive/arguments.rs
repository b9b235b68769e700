use serde::{Deserialize, Serialize};
use switchboard::{Issues, WsMessage};

#[derive(Serialize, Deserialize, WsMessage)]
struct NoTag {}

#[derive(Serialize, Deserialize, WsMessage)]
#[ws]
struct Bare {}

#[derive(Serialize, Deserialize, WsMessage)]
#[ws("TAG")]
struct Unnamed {}

#[derive(Serialize, Deserialize, WsMessage)]
#[ws(type = TAG)]
struct NotText {}

#[derive(Serialize, Deserialize, WsMessage)]
#[ws(type = "ERROR", progress = u8)]
struct Reserved {}

#[derive(Serialize, Deserialize, WsMessage)]
#[ws(type = "TAG", rename_all = "snake_case", validate_wit = check)]
#[ws(type = "OTHER")]
struct Options {}

#[derive(Serialize, Deserialize, WsMessage)]
#[ws(type = "TAG", validate_with = check)]
struct Check {}

fn check(_: &Options) -> Result<(), Issues> {
    Ok(())
}

#[derive(Serialize, Deserialize, WsMessage)]
#[ws(type = "TAG")]
enum Enum {
    A,
}

fn main() {}
