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

#[deprecated]
#[ws_payload]
pub enum OldKind {
    A,
}

#[deprecated]
#[ws_payload]
pub struct OldPart {
    #[validate(range(max = 9))]
    pub a: u8,
}

/// What is deprecated holds what is, too: rustc itself warns about the fields alone.
#[deprecated]
#[ws_message("OLD_HOLDER")]
pub struct OldHolder {
    #[allow(deprecated, reason = "so is the whole")]
    pub kind: OldKind,
    #[allow(deprecated, reason = "so is the whole")]
    #[validate(nested)]
    pub part: Option<OldPart>,
    pub next: Vec<Self>,
}

#[deprecated]
#[ws_payload]
pub enum OldChoice {
    #[allow(deprecated, reason = "so is the whole")]
    Kind(OldKind),
    #[allow(deprecated, reason = "so is the whole")]
    Part {
        #[validate(nested)]
        part: OldPart,
    },
}

#[deprecated]
#[allow(deprecated, reason = "so is the whole")]
#[ws_rpc("OLD_ANSWER", response = OldHolder, progress = OldPart)]
pub struct OldAnswered {
    #[validate(nested)]
    pub choice: OldChoice,
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
