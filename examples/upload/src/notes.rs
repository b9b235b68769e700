//! A note that may be too long for one frame, and travels compressed then.

use std::sync::Arc;

use axum::extract::State;
use parking_lot::Mutex;
use switchboard::{Conn, Message as _, WsError, ws_message};

use crate::compressed::Compressed;

/// From how many bytes on a note is sent compressed.
const LONG: usize = 1024;

/// The note.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<String>>);

/// `deny_unknown_fields`: what comes inside another message does not pass the library's own check.
#[ws_message("SAVE_NOTE")]
#[serde(deny_unknown_fields)]
pub(crate) struct SaveNote {
    #[validate(length(min = 1, max = 200_000))]
    text: String,
}

#[ws_message("NOTE_SAVED")]
pub(crate) struct NoteSaved {
    characters: usize,
}

#[ws_message("FETCH_NOTE")]
pub(crate) struct FetchNote;

#[ws_message("NOTE")]
struct Note {
    text: String,
}

pub(crate) async fn save_note(State(notes): State<Notes>, note: SaveNote) -> NoteSaved {
    let characters = note.text.chars().count();
    *notes.0.lock() = note.text;
    NoteSaved { characters }
}

pub(crate) async fn fetch_note(conn: Conn, State(notes): State<Notes>, _: FetchNote) -> Result<(), WsError> {
    let note = Note { text: notes.0.lock().clone() };
    if note.text.len() > LONG {
        conn.send(Compressed::pack(&note)?)?
    } else {
        conn.send(note)?
    }
    Ok(())
}

/// Handles the message inside as its own handler does. Those that are never long need no entry here.
pub(crate) async fn compressed(notes: State<Notes>, compressed: Compressed) -> Result<NoteSaved, WsError> {
    let envelope = compressed.unpack()?;
    match envelope.message_type() {
        SaveNote::TYPE => Ok(save_note(notes, envelope.decode()?).await),
        _ => Err(WsError::unimplemented("A message of this type does not come compressed")),
    }
}
