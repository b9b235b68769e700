use switchboard::{Request, ws_message, ws_rpc};

#[ws_message("SUM")]
struct Sum {}

struct Plain;

#[ws_rpc("NO_RESPONSE")]
struct NoResponse {}

#[ws_message("STACKED")]
#[ws_rpc(progress = u8)]
struct Stacked {}

#[ws_rpc("NO_MESSAGE", response = Plain)]
struct NoMessage {}

#[ws_rpc("NO_PROGRESS", response = Sum, progress = Plain)]
struct NoProgress {}

#[ws_rpc("NO_TYPE", response = 3)]
struct NoType {}

fn is_request<R: Request>() {}

fn main() {
    is_request::<Sum>();
}
