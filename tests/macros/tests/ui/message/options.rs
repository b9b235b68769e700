use switchboard::{ws_message, ws_meta};

#[ws_meta]
struct Extra {}

#[ws_message("TWICE", meta = Extra, allow_unknown, meta = Extra)]
struct Twice {}

#[ws_message("MISSPELT", allow_unkown)]
struct Misspelt {}

#[ws_message("UNKNOWN", topic = "room", meta = Extra)]
struct Unknown {}

#[ws_message("REQUEST", response = Extra, progress = Extra)]
struct Request {}

#[ws_message("NO_VALUE", meta)]
struct NoValue {}

#[ws_message("NO_TYPE", meta = "Extra")]
struct NoType {}

#[ws_message("NO_PATH", crate = "switchboard")]
struct NoPath {}

#[ws_message("NO_FLAG", allow_unknown = true)]
struct NoFlag {}

#[ws_message("CASE", rename_all = "camelcase")]
struct Case {
    room_id: u8,
}

#[ws_message("CASE_TWICE", rename_all = "lowercase")]
#[serde(rename_all = "snake_case")]
struct CaseTwice {
    room_id: u8,
}

#[ws_message("NO_COMMA" allow_unknown)]
struct NoComma {}

#[ws_message(type = "NAMED")]
struct Named {}

#[ws_message("SEVERAL", mata = Extra, allow_unknown, renam_all = "x", allow_unknown)]
struct Several {}

macro_rules! in_macro {
    () => {
        #[ws_message("IN_MACRO", crate = $crate::switchboard)]
        struct InMacro {}
    };
}
in_macro!();

fn main() {}
