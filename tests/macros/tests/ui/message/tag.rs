use switchboard::{Message, ws_message};

#[ws_message]
struct Missing {}

#[ws_message(JOIN)]
struct NotText {}

#[ws_message(42, allow_unknown)]
struct Number {}

#[ws_message("")]
struct Empty {}

#[ws_message(
    "JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN_JOIN"
)]
struct Long {}

#[ws_message("JOIN\n")]
struct Control {}

#[ws_message("$ws:join")]
struct Namespace {}

#[ws_message("__join")]
struct Underscores {}

#[ws_message("ERROR")]
struct Error {}

#[ws_message("RPC_ERROR")]
struct RpcError {}

#[ws_message("FIRST", "SECOND")]
struct Two {}

// They are messages nevertheless: no more errors here.
fn is_message<M: Message>() {}

fn main() {
    is_message::<Missing>();
    is_message::<NotText>();
    is_message::<Number>();
    is_message::<Empty>();
    is_message::<Long>();
    is_message::<Control>();
    is_message::<Namespace>();
    is_message::<Underscores>();
    is_message::<Error>();
    is_message::<RpcError>();
    is_message::<Two>();
}
