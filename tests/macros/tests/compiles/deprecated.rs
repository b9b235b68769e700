//! Generated code does not warn of what the application allows itself, or does not use at all. Of a
//! field's type serde's derive does unless it is allowed for the whole type.
#![deny(warnings)]

use switchboard::{Meta, WsMessages, WsRouter, ws_handler, ws_handlers, ws_message, ws_meta, ws_payload, ws_rpc};

#[deprecated = "use `New`"]
#[ws_message("OLD")]
pub struct Old {
    #[validate(length(min = 1))]
    pub text: String,
}

#[deprecated]
#[ws_meta]
pub struct OldMeta {
    #[validate(length(min = 1))]
    pub lang: String,
}

#[deprecated]
#[ws_payload]
#[derive(PartialEq, Eq)]
pub enum OldKind {
    #[deprecated]
    First {
        #[deprecated]
        #[validate(range(max = 9))]
        size: u8,
    },
    Second,
}

#[ws_message("NEW")]
pub struct New {
    #[deprecated]
    #[validate(length(min = 1))]
    pub text: String,
}

#[deprecated]
#[ws_rpc("OLD_CALL", response = New)]
pub struct OldCall {
    #[validate(range(max = 9))]
    pub a: u8,
}

#[allow(deprecated)]
#[ws_rpc("CALL", response = Old, meta = OldMeta)]
pub struct Call {
    #[validate(nested)]
    pub kind: OldKind,
}

#[allow(deprecated)]
#[derive(WsMessages)]
pub enum Out {
    Old(Old),
    New(New),
}

#[allow(deprecated)]
#[ws_handler]
async fn old(message: Old) {
    drop(message.text);
}

struct Chat;

#[ws_handlers]
impl Chat {
    #[allow(deprecated)]
    async fn old(&self, message: Old) {
        drop(message.text);
    }

    #[allow(deprecated)]
    async fn call(&self, meta: Meta<OldMeta>, call: Call) -> Old {
        _ = call.kind;
        Old { text: meta.lang.clone() }
    }

    /// Still served.
    #[deprecated]
    async fn newer(&self, _: New) {}
}

#[test]
fn what_is_deprecated_may_be_used() {
    #[allow(deprecated)]
    let router: WsRouter = WsRouter::new().on(old);
    drop((router, Chat.router()));
}
