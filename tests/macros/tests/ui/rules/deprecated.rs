//! Where the application uses what is deprecated, it is warned.
#![deny(deprecated)]

use switchboard::{WsMessages, ws_handler, ws_handlers, ws_message, ws_payload, ws_rpc};

#[deprecated = "use `New`"]
#[ws_message("OLD")]
pub struct Old {
    #[validate(length(min = 1))]
    pub text: String,
}

#[deprecated]
#[ws_payload]
pub struct OldItem {
    #[validate(length(min = 1))]
    pub text: String,
}

#[ws_message("NEW")]
pub struct New {
    #[deprecated]
    #[validate(length(min = 1))]
    pub text: String,
    #[validate(nested)]
    pub item: OldItem,
}

#[ws_rpc("CALL", response = Old)]
pub struct Call {}

#[derive(WsMessages)]
pub enum Out {
    Old(Old),
}

#[ws_handler]
async fn old(message: Old) {
    drop(message);
}

struct Chat;

#[ws_handlers]
impl Chat {
    async fn old(&self, message: Old) {
        drop(message);
    }
}

fn uses(new: New) -> String {
    new.text
}

fn main() {}
