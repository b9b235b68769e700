use switchboard::{ws_message, ws_rpc};

#[ws_message("SAY")]
struct Say<'a> {
    text: &'a str,
}

#[ws_rpc("ADD", response = Vec<Sum>)]
struct Add {
    a: f64,
}

#[ws_rpc("COUNT", response = u64)]
struct Count {}

#[ws_message("SUM")]
struct Sum {}

fn main() {}
