//! Requests of the server to a client.

use std::{fmt, future::Future, panic::Location, sync::Arc};

use switchboard_core::{
    AnyMessage, Message, Reply, ReplyWriter, Request, WsError,
    envelope::{Head, write_error},
};

use super::{
    TestClient,
    failure::{fail, shown},
    reader::Sender,
    wire::{ClientMeta, Envelope, envelope},
};
use crate::clock;

/// A request of the server, sent with [`Conn::call`](crate::Conn::call): [`TestClient::expect_call`].
/// If it is dropped, it is not answered.
pub struct Question<R> {
    request: R,
    id: String,
    sender: Arc<Sender>,
}

impl<R: Request> Question<R> {
    /// Returns the request.
    #[must_use]
    pub fn request(&self) -> &R {
        &self.request
    }

    /// Sends the response.
    ///
    /// # Panics
    ///
    /// If the response does not serialise.
    pub async fn answer(self, response: R::Response) {
        let mut meta = ClientMeta::new(None);
        meta.correlation_id = Some(&self.id);
        let text = envelope(&response, &meta);
        let text = text.unwrap_or_else(|error| panic!("the answer to {} does not serialise: {error}", R::TYPE));
        drop(response);
        self.sender.envelope(text).await;
    }

    /// Sends an error in place of the response.
    pub async fn refuse(self, error: WsError) {
        let mut out = Vec::new();
        write_error(&mut out, head(&self.id), true, &error);
        drop(error);
        self.sender.envelope(text(out)).await;
    }
}

impl<R: Message> fmt::Debug for Question<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").field("type", &R::TYPE).field("id", &self.id).finish_non_exhaustive()
    }
}

impl TestClient {
    /// Sets a closure that answers the server's requests of one type, from the client's task.
    ///
    /// ```
    /// use switchboard::{Conn, WsError, WsRouter, test::TestApp, ws_message, ws_rpc};
    ///
    /// #[ws_message("CONFIRMED")]
    /// struct Confirmed {
    ///     yes: bool,
    /// }
    ///
    /// #[ws_rpc("CONFIRM", response = Confirmed)]
    /// struct Confirm {
    ///     question: String,
    /// }
    ///
    /// #[ws_message("DELETED")]
    /// struct Deleted;
    ///
    /// #[ws_rpc("DELETE", response = Deleted)]
    /// struct Delete;
    ///
    /// async fn delete(conn: Conn, _: Delete) -> Result<Deleted, WsError> {
    ///     let answer = conn.call(Confirm { question: "sure?".into() }).await?;
    ///     if answer.yes { Ok(Deleted) } else { Err(WsError::failed_precondition("not confirmed")) }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let app = TestApp::new(WsRouter::new().on(delete));
    /// let mut ann = app.connect().await?;
    /// ann.answer(|confirm: Confirm| Confirmed { yes: confirm.question == "sure?" });
    /// ann.call(Delete).await?;
    ///
    /// ann.answer(|_: Confirm| Err::<Confirmed, _>(WsError::unavailable("asleep")));
    /// ann.call(Delete).expect_error("UNAVAILABLE").await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// This method does not panic. If the closure panics or the request is not an `R`, the next expectation
    /// does.
    #[track_caller]
    pub fn answer<R, O>(&mut self, mut answer: impl FnMut(R) -> O + Send + 'static)
    where
        R: Request,
        O: Reply<R, R::Kind, AnyMessage>,
    {
        let at = Location::caller();
        let answer = move |envelope: &Envelope| {
            let id = envelope.id.as_deref().unwrap_or_default();
            answer_text(id, answer(envelope.read(at)))
        };
        self.sender.answers.lock().insert(R::TYPE, Box::new(answer));
    }

    /// Waits for the next message, which must be a request of this type.
    ///
    /// # Panics
    ///
    /// If another message arrives, the connection is closed, or nothing arrives within the patience.
    #[track_caller]
    pub fn expect_call<R: Request>(&mut self) -> impl Future<Output = Question<R>> + Send {
        let at = Location::caller();
        async move {
            let envelope = self.next_of(at, R::TYPE).await;
            let request = envelope.read(at);
            let Some(id) = envelope.id else {
                fail(
                    at,
                    format_args!(
                        "{} has no correlation id, so it is not a request: {}",
                        R::TYPE,
                        shown(&envelope.text)
                    ),
                )
            };
            Question { request, id, sender: Arc::clone(&self.sender) }
        }
    }
}

/// Encodes an answer without validating it, so that a test can send an invalid one.
fn answer_text<R: Request, O: Reply<R, R::Kind, AnyMessage>>(id: &str, answer: O) -> String {
    let mut out = Vec::new();
    if let Err(error) = answer.write(&mut ReplyWriter::new(&mut out, head(id), false)) {
        out.clear();
        write_error(&mut out, head(id), true, &error);
    }
    text(out)
}

fn head(id: &str) -> Head<'_> {
    Head { correlation_id: Some(id), timestamp_ms: clock::now_ms() }
}

/// JSON is UTF-8.
fn text(json: Vec<u8>) -> String {
    String::from_utf8(json).unwrap_or_default()
}
