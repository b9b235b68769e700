//! Sends a message to all connected clients, 100 at a time, and yields to other tasks in between.
//!
//! The library does this by itself for topics with very many subscribers. This is for recipients
//! without a common topic.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use switchboard::{ConnId, ws_message};
use tokio::task::yield_now;

use crate::{Client, Shared};

/// How many messages are sent before the task yields.
const CHUNK: usize = 100;

#[ws_message("ANNOUNCEMENT")]
#[derive(Clone)]
struct Announcement {
    #[validate(length(min = 1, max = 500))]
    text: String,
}

/// All connected clients.
#[derive(Debug, Default)]
pub(crate) struct Clients(Mutex<BTreeMap<ConnId, Client>>);

impl Clients {
    pub(crate) fn add(&self, client: Client) {
        self.lock().insert(client.id(), client);
    }

    pub(crate) fn remove(&self, id: ConnId) {
        self.lock().remove(&id);
    }

    fn all(&self) -> Vec<Client> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ConnId, Client>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Announce {
    text: String,
}

/// The number of recipients, and of chunks.
#[derive(Serialize)]
pub(crate) struct Announced {
    clients: usize,
    chunks: usize,
}

pub(crate) async fn announce(State(app): State<Shared>, Json(announce): Json<Announce>) -> Json<Announced> {
    let announcement = Announcement { text: announce.text };
    let (mut clients, mut chunks) = (0, 0);
    for chunk in app.clients.all().chunks(CHUNK) {
        if chunks > 0 {
            yield_now().await;
        }
        // A client that has gone or does not read does not affect the others.
        clients += chunk.iter().filter(|client| client.send(announcement.clone()).is_ok()).count();
        chunks += 1;
    }
    Json(Announced { clients, chunks })
}
