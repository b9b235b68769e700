//! A Unix socket.

use axum::Router;
use switchboard_tests::client::Client;
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};

use crate::site::{Http1, Site, upgrade};

pub(crate) struct Unix(TempDir);

impl Site for Unix {
    type Stream = UnixStream;

    const IS_SOCKET: bool = true;

    async fn start(app: Router) -> Self {
        let dir = TempDir::new().unwrap();
        let listener = UnixListener::bind(dir.path().join("socket")).unwrap();
        tokio::spawn(axum::serve(listener, app).into_future());
        Self(dir)
    }

    async fn connect(&self, path: &str) -> Client<UnixStream> {
        upgrade(self.dial().await, path).await
    }
}

impl Http1 for Unix {
    async fn dial(&self) -> UnixStream {
        UnixStream::connect(self.0.path().join("socket")).await.unwrap()
    }
}

scenarios!(Unix);
crate::early::tests!(Unix);
