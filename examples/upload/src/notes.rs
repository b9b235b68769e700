//! A note that may be too long for one frame, and is then compressed.

use std::sync::Arc;

use axum::extract::State;
use parking_lot::Mutex;
use switchboard::{Conn, Message as _, WsError, ws_message};

use crate::compressed::Compressed;

/// The size in bytes from which a note is compressed.
const LONG: usize = 1024;

/// The note.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<String>>);

/// `deny_unknown_fields`: a message inside another one is not checked by the library.
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

/// Calls the handler of the inner message. Messages that are never long need no entry here.
pub(crate) async fn compressed(notes: State<Notes>, compressed: Compressed) -> Result<NoteSaved, WsError> {
    let envelope = compressed.unpack()?;
    match envelope.message_type() {
        SaveNote::TYPE => Ok(save_note(notes, envelope.decode()?).await),
        _ => Err(WsError::unimplemented("A message of this type does not come compressed")),
    }
}
