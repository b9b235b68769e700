use switchboard::{Request, ws_message, ws_rpc};

#[ws_message("SUM")]
struct Sum {}

#[ws_rpc(response = Sum)]
struct NoTag {}

#[ws_message("ADD")]
#[ws_rpc("ADD", response = Sum)]
struct TwoTags {}

#[ws_rpc("ADD", response = Sum)]
#[ws_message("ADD")]
struct TwoTagsReversed {}

#[ws_message("ADD", allow_unknown)]
#[ws_rpc(response = Sum, allow_unknown)]
struct Twice {}

#[ws_rpc("ADD", response = Sum)]
#[ws_rpc("SUB", response = Sum)]
struct TwoRequests {}

fn is_request<R: Request>() {}

fn main() {
    is_request::<NoTag>();
    is_request::<TwoTags>();
    is_request::<TwoTagsReversed>();
    is_request::<Twice>();
    is_request::<TwoRequests>();
}
