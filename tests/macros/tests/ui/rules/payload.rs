use switchboard::ws_payload;

#[ws_payload(rename_al = "snake_case")]
struct Misspelt {}

#[ws_payload("POST")]
struct Tagged {}

#[ws_payload]
union Union {
    a: u8,
}

#[ws_payload]
enum Rules {
    A {
        #[validate(range(min = 1))]
        b: u8,
    },
}

#[ws_payload]
mod module {}

fn main() {}
