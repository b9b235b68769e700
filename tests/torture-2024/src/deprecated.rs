//! Deprecated types and fields warn where they are used, not in generated code.

use switchboard::{WsMessages, ws_message, ws_payload, ws_rpc};

#[deprecated]
#[ws_message("OLD")]
pub struct Old {
    #[validate(length(min = 1))]
    pub text: String,
}

#[ws_message("OLD_FIELD")]
pub struct OldField {
    #[deprecated]
    #[validate(length(min = 1))]
    pub text: String,
}

#[deprecated = "use another"]
#[ws_rpc("OLD_CALL", response = OldField)]
pub struct OldCall {
    pub a: u8,
}

#[ws_payload]
pub enum Kind {
    #[deprecated]
    Old {
        #[validate(range(max = 9))]
        a: u8,
    },
    New,
}

#[allow(deprecated, reason = "the list is of all messages")]
mod out {
    use super::{Old, OldField, WsMessages};

    #[derive(WsMessages)]
    pub enum Out {
        Old(Old),
        Field(OldField),
    }
}

pub use out::Out;
