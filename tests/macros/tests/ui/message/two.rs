use switchboard::{ws_message, ws_meta, ws_payload, ws_rpc};

#[ws_message("FIRST")]
#[ws_message("SECOND")]
struct Two {}

#[ws_message("FIRST")]
#[ws_rpc(response = Two)]
#[ws_message("SECOND")]
struct Three {}

#[ws_message("OTHERS")]
#[ws_payload]
#[ws_meta]
struct Others {}

fn main() {}
