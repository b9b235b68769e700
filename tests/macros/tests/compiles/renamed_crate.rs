//! Switchboard under another name, as behind a re-export.
#![deny(warnings)]

/// As if there were no crate of this name.
#[allow(dead_code)]
mod switchboard {}

use renamed::{
    Conn, Message, WsError, WsMessage, WsMessages, WsRouter, ws_handler, ws_handlers, ws_message, ws_meta, ws_payload,
    ws_rpc,
};

mod reexport {
    pub(crate) use renamed as ws;
}

#[ws_meta(crate = crate::renamed_crate::reexport::ws)]
struct Extra {
    #[validate(length(min = 1))]
    key: String,
}

#[ws_payload(crate = renamed)]
struct Part {
    #[validate(length(min = 1))]
    name: String,
}

#[ws_message("WHOLE", meta = Extra, crate = crate::renamed_crate::reexport::ws)]
struct Whole {
    #[validate(nested)]
    part: Part,
}

#[ws_message("DONE", crate = renamed)]
struct Done;

#[ws_rpc("ASK", response = Done, crate = crate::renamed_crate::reexport::ws)]
struct Ask;

#[derive(serde::Serialize, serde::Deserialize, WsMessage)]
#[ws(type = "PLAIN", crate = renamed)]
struct Plain;

#[derive(WsMessages)]
#[ws(crate = renamed)]
enum Out {
    Done(Done),
}

struct Chat;

#[ws_handlers(out = Out, crate = crate::renamed_crate::reexport::ws)]
impl Chat {
    async fn whole(&self, conn: Conn<(), Out>, msg: Whole) -> Result<Done, WsError> {
        conn.send(Done)?;
        drop(msg.part.name);
        Ok(Done)
    }
}

#[ws_handler(state = (), data = (), crate = renamed)]
async fn ask(conn: Conn, _: Ask) -> Done {
    drop(conn);
    Done
}

#[test]
fn the_crate_may_have_another_name() {
    assert!(Whole { part: Part { name: String::new() } }.validate().is_err());
    assert_eq!(Plain::TYPE, "PLAIN");
    drop(Extra { key: String::new() }.key);
    drop(Chat.router());
    let _: WsRouter = WsRouter::new().on(ask);
}
