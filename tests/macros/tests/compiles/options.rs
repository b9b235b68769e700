//! All options of the message macros, with nothing but `switchboard` as a dependency.
#![deny(warnings, missing_docs, unreachable_pub, clippy::pedantic)]

use switchboard::{
    Event, Issue, Issues, Kind, Message, MessageMeta, Meta, Request, WsRouter, ws_message, ws_meta, ws_payload, ws_rpc,
};

/// Extra keys.
#[ws_meta(rename_all = "snake_case")]
pub struct RoomMeta {
    /// The room.
    #[validate(length(min = 1))]
    pub room_id: String,
    #[serde(rename = "lang")]
    language: Option<String>,
}

/// A note.
#[ws_message("ROOM_NOTE", rename_all = "kebab-case", allow_unknown, meta = RoomMeta, crate = ::switchboard)]
#[derive(Debug, Clone, PartialEq)]
pub struct RoomNote {
    /// The text.
    #[validate(length(max = 3), custom(function = no_digits))]
    pub note_text: String,
    #[serde(rename = "type", default)]
    #[validate(range(max = 9))]
    kind: u8,
    #[validate(range(max = 9))]
    r#final: u8,
}

fn no_digits(text: &str) -> Result<(), switchboard::__private::validator::ValidationError> {
    if text.contains(char::is_numeric) {
        Err(switchboard::__private::validator::ValidationError::new("digits"))
    } else {
        Ok(())
    }
}

#[ws_message("PING")]
struct Ping;

#[ws_message("LEAVE")]
pub(crate) struct Leave {}

#[ws_message("SUM")]
#[derive(Default)]
struct Sum {
    result: f64,
}

#[ws_payload]
struct Step {
    done: usize,
}

#[ws_rpc("ADD", response = Sum, progress = Step, rename_all = "UPPERCASE", allow_unknown, meta = RoomMeta)]
struct Add {
    a: f64,
}

#[ws_message("SUB", allow_unknown)]
#[ws_rpc(response = Sum)]
struct Sub {
    a: f64,
}

#[ws_rpc(response = Sum)]
#[ws_message("MUL")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct Mul {
    a_b: f64,
}

fn is_request<M: Request<Response = R>, R: Message>() -> bool {
    M::Kind::IS_RPC
}

fn check() -> Result<(), Issues> {
    Leave {}.validate()?;
    Ping.validate()
}

async fn note(meta: Meta<RoomMeta>, msg: RoomNote) -> Ping {
    drop((meta, msg.kind));
    Ping
}

#[test]
fn all_options() {
    assert_eq!(RoomNote::TYPE, "ROOM_NOTE");
    const { assert!(RoomNote::ALLOW_UNKNOWN && RoomNote::HAS_PAYLOAD && !RoomNote::EMPTY_PAYLOAD) };
    const { assert!(!Ping::HAS_PAYLOAD && !Ping::ALLOW_UNKNOWN) };
    const { assert!(Leave::EMPTY_PAYLOAD && Leave::HAS_PAYLOAD) };
    assert!(is_request::<Add, Sum>() && is_request::<Sub, Sum>() && is_request::<Mul, Sum>());
    const { assert!(!<<Ping as Message>::Kind as Kind>::IS_RPC && !<Event as Kind>::IS_RPC) };
    const { assert!(Add::ALLOW_UNKNOWN && Sub::ALLOW_UNKNOWN && !Mul::ALLOW_UNKNOWN) };
    const { assert!(<<Add as Message>::Meta as MessageMeta>::DECLARED) };
    assert!(check().is_ok());

    let note_with_mistakes = RoomNote { note_text: "long".to_owned(), kind: 10, r#final: 10 };
    let issues = note_with_mistakes.validate().unwrap_err();
    let paths: Vec<_> = issues.iter().map(|issue| issue.path().to_owned()).collect();
    assert_eq!(paths, ["final", "note-text", "type"]);

    let meta = RoomMeta { room_id: String::new(), language: None };
    let issues = meta.validate().unwrap_err();
    assert_eq!(issues.iter().next().map(Issue::path), Some("room_id"));

    _ = (Add { a: 0.0 }.a, Sub { a: 0.0 }.a, Mul { a_b: 0.0 }.a_b, Sum::default().result, Step { done: 0 }.done);
    let _: WsRouter = WsRouter::new().on(note);
}
