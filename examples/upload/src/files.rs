//! Files: uploaded over the WebSocket, downloaded over HTTP.

use std::{collections::VecDeque, sync::Arc};

use axum::{
    extract::{Path, State},
    http::{
        StatusCode,
        header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    },
    response::IntoResponse,
};
use bytes::Bytes;
use parking_lot::Mutex;
use switchboard::{Conn, WsError, ws_message};
use uuid::Uuid;

/// How many files are kept, which bounds the server's memory.
const MAX_FILES: usize = 16;

/// The kinds of images, by their first bytes. Names and declared types prove nothing.
const KINDS: [(&[u8], &str); 3] =
    [(b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif")];

/// The last files, oldest first.
#[derive(Clone, Default)]
pub(crate) struct Files(Arc<Mutex<VecDeque<File>>>);

struct File {
    id: Uuid,
    content_type: &'static str,
    bytes: Bytes,
}

#[ws_message("upload_complete")]
struct UploadComplete {
    file_id: String,
}

/// Stores a file. An error is sent to the client, as a handler's is.
pub(crate) async fn upload(conn: Conn, State(files): State<Files>, bytes: Bytes) -> Result<(), WsError> {
    let kind = KINDS.iter().find(|(start, _)| bytes.starts_with(start));
    let Some((_, content_type)) = kind else {
        return Err(WsError::invalid_argument("Not a PNG, JPEG or GIF image"));
    };
    let id = Uuid::now_v7();
    // A copy: the input may be part of a larger buffer, which would live as long as the file.
    let bytes = Bytes::copy_from_slice(&bytes);
    files.keep(File { id, content_type, bytes });
    conn.send(UploadComplete { file_id: id.to_string() })?;
    Ok(())
}

impl Files {
    fn keep(&self, file: File) {
        let mut files = self.0.lock();
        if files.len() == MAX_FILES {
            files.pop_front();
        }
        files.push_back(file);
    }
}

pub(crate) async fn download(
    Path(id): Path<String>,
    State(files): State<Files>,
) -> Result<impl IntoResponse, StatusCode> {
    let id: Uuid = id.parse().map_err(|_| StatusCode::NOT_FOUND)?;
    let files = files.0.lock();
    let file = files.iter().find(|file| file.id == id).ok_or(StatusCode::NOT_FOUND)?;
    // The bytes are from another user: the browser must not interpret them as another type.
    Ok(([(CONTENT_TYPE, file.content_type), (X_CONTENT_TYPE_OPTIONS, "nosniff")], file.bytes.clone()))
}
