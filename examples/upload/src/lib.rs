//! Files as binary frames, and compressed messages.
//!
//! - `/ws/upload`, row 004-10 of the checklist: each binary frame is a file, which is answered with
//!   `upload_complete{fileId}`. It must be an image of a known kind, or there is an error. Beyond
//!   256 KiB there is an error, too, and beyond 1 MiB the connection is closed with 1009, before the
//!   bytes are read. Messages are flat, `{"type","fileId"}`. `GET /files/{fileId}` is the file.
//! - `/ws`, row 003-11: `COMPRESSED{encoding:"gzip",data}` holds another message, which is handled as
//!   if it had come itself. `SAVE_NOTE{text}` is answered with `NOTE_SAVED{characters}`;
//!   `FETCH_NOTE` with `NOTE{text}`, compressed if it is long.
//!
//! To try it, `cargo run -p upload`, and in a browser's console on `http://127.0.0.1:3000`:
//!
//! ```text
//! let ws = new WebSocket("ws://127.0.0.1:3000/ws/upload");
//! ws.onmessage = (event) => console.log(event.data);
//! ws.onopen = () => ws.send(new TextEncoder().encode("GIF89a, or so it says"));
//! ```

mod compressed;
mod files;
mod notes;

use axum::{Router, routing::get};
use switchboard::{Config, EnvelopeStyle, WsRouter, ws_route};

use self::{files::Files, notes::Notes};

/// The size above which a file gets an error.
const MAX_FILE: usize = 256 * 1024;

/// The size above which the connection is closed.
const MAX_FRAME: usize = 1024 * 1024;

/// Returns the whole application, with files and a note of its own.
pub fn app() -> Router {
    let config = Config::new().max_message_bytes(MAX_FRAME).soft_max_message_bytes(MAX_FILE);
    let upload = WsRouter::<Files>::new().config(config).envelope(EnvelopeStyle::Flat).on_binary(files::upload);
    let files = Router::new()
        .route("/", get("Files as binary frames, and messages that come compressed."))
        .route("/files/{id}", get(files::download))
        .route("/ws/upload", ws_route(upload))
        .with_state(Files::default());

    let notes = WsRouter::<Notes>::new().on(notes::save_note).on(notes::fetch_note).on(notes::compressed);
    files.merge(Router::new().route("/ws", ws_route(notes)).with_state(Notes::default()))
}
