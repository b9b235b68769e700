//! A connected client.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    future::Future,
    panic::Location,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, header};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use switchboard_core::{CloseCode, Event, Message, envelope::Wire};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message as Frame, protocol::CloseFrame},
};

use super::{
    failure::{closed, fail, meanwhile},
    reader::{self, Reader, Sender},
    wire::{Arrived, ClientMeta, Envelope, envelope},
};
use crate::ConnId;

/// A WebSocket client of an application under test: [`TestApp::connect`](super::TestApp::connect).
///
/// It reads and answers pings in a task of its own. When it is dropped, the connection is lost without
/// a close frame. Messages are not validated before they are sent, so that a test can send invalid
/// ones. On a closed connection nothing is sent, and the next expectation fails.
///
/// [Expectations](Self::expect) get the messages of the application, in the order of arrival. Frames of
/// the protocol itself (`$ws:…`) and replies to [calls](Self::call) are not among them;
/// [`recv_json`](Self::recv_json) returns these, too.
///
/// The client buffers 16 384 frames, then it stops reading.
pub struct TestClient {
    pub(super) sender: Arc<Sender>,
    reader: Reader,
    headers: HeaderMap,
    /// Frames that have arrived and were not taken yet, without the close frame.
    pub(super) queue: VecDeque<Arrived>,
    closed: Option<(CloseCode, String)>,
    /// The correlation ids of all calls.
    pub(super) calls: HashSet<String>,
    pub(super) patience: Duration,
}

/// The result of waiting for a frame.
pub(super) enum Pulled {
    More,
    Closed,
    TimedOut,
}

impl TestClient {
    pub(super) fn new(
        stream: WebSocketStream<TokioIo<Upgraded>>,
        headers: HeaderMap,
        wire: Wire,
        patience: Duration,
    ) -> Self {
        let (sender, reader) = reader::start(stream, wire);
        Self { sender, reader, headers, queue: VecDeque::new(), closed: None, calls: HashSet::new(), patience }
    }

    /// Returns the connection's id, as handlers see it.
    ///
    /// # Panics
    ///
    /// If the response to the upgrade has none, because the route is not Switchboard's.
    #[track_caller]
    #[must_use]
    pub fn id(&self) -> ConnId {
        let at = Location::caller();
        let id = self.headers.get("x-client-id").and_then(|id| id.to_str().ok()?.parse().ok());
        id.unwrap_or_else(|| fail(at, "the response to the upgrade has no x-client-id"))
    }

    /// Returns the headers of the response to the upgrade.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the subprotocol that the server selected.
    #[must_use]
    pub fn protocol(&self) -> Option<&str> {
        self.headers.get(header::SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()
    }

    /// Sets how long expectations wait from now on, in tokio's time.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Stops reading, including pings, as a slow consumer does. After about 64 KiB the server has to
    /// queue its messages.
    pub fn hold(&mut self) {
        self.reader.holds.send_replace(true);
    }

    /// Resumes reading after [`hold`](Self::hold).
    pub fn resume(&mut self) {
        self.reader.holds.send_replace(false);
    }

    /// Sends an event.
    ///
    /// # Panics
    ///
    /// If the message does not serialise, or the server does not read it within the patience.
    #[track_caller]
    pub fn send<M: Message<Kind = Event, Meta = ()>>(&mut self, message: M) -> impl Future<Output = ()> + Send {
        self.send_with_meta(message, ())
    }

    /// Sends an event with the `meta` that its type declares.
    ///
    /// # Panics
    ///
    /// As [`send`](Self::send).
    #[track_caller]
    pub fn send_with_meta<M>(&mut self, message: M, meta: M::Meta) -> impl Future<Output = ()> + Send
    where
        M: Message<Kind = Event>,
    {
        let at = Location::caller();
        let text = envelope(&message, &ClientMeta::new(Some(&meta)));
        let text = text.unwrap_or_else(|error| fail(at, format_args!("{} does not serialise: {error}", M::TYPE)));
        drop((message, meta));
        self.put(at, text)
    }

    /// Sends any JSON document, such as an invalid message.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use switchboard::{WsRouter, test::TestApp};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let app = TestApp::new(WsRouter::new());
    /// let mut ann = app.connect().await?;
    /// ann.send_json(json!({ "type": "NOBODY_KNOWS" })).await;
    /// ann.expect_error("UNIMPLEMENTED").await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// As [`send`](Self::send).
    #[track_caller]
    pub fn send_json(&mut self, message: impl Serialize) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        let text = serde_json::to_string(&message);
        self.put(at, text.unwrap_or_else(|error| fail(at, format_args!("it does not serialise: {error}"))))
    }

    /// Sends a text frame.
    ///
    /// # Panics
    ///
    /// If the server does not read it within the patience.
    #[track_caller]
    pub fn send_text(&mut self, text: impl Into<String>) -> impl Future<Output = ()> + Send {
        self.put_frame(Location::caller(), Frame::text(text.into()))
    }

    /// Sends a binary frame.
    ///
    /// # Panics
    ///
    /// If the server does not read it within the patience.
    #[track_caller]
    pub fn send_binary(&mut self, bytes: impl Into<Bytes>) -> impl Future<Output = ()> + Send {
        self.put_frame(Location::caller(), Frame::binary(bytes))
    }

    /// Closes the connection with 1000, and waits for the server's close frame.
    ///
    /// # Panics
    ///
    /// If there is none within the patience.
    #[track_caller]
    pub fn close(&mut self) -> impl Future<Output = ()> + Send {
        self.close_with(CloseCode::NORMAL, "")
    }

    /// Closes the connection with a code and a reason, and waits for the server's close frame.
    ///
    /// # Panics
    ///
    /// If there is none within the patience.
    #[track_caller]
    pub fn close_with(
        &mut self,
        code: impl Into<CloseCode>,
        reason: impl Into<String>,
    ) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        let frame = CloseFrame { code: code.into().get().into(), reason: reason.into().into() };
        async move {
            self.put_frame(at, Frame::Close(Some(frame))).await;
            let deadline = deadline(self.patience);
            loop {
                match self.pull(deadline).await {
                    Pulled::More => {}
                    Pulled::Closed => return,
                    Pulled::TimedOut => {
                        fail(at, format_args!("the server did not answer the close frame within {:?}", self.patience))
                    }
                }
            }
        }
    }

    /// Sends an envelope in the standard form.
    pub(super) fn put(&self, at: &'static Location<'static>, text: String) -> impl Future<Output = ()> + Send {
        let (sender, patience) = (Arc::clone(&self.sender), self.patience);
        async move {
            if timeout(patience, sender.envelope(text)).await.is_err() {
                fail(at, format_args!("the server did not read what was sent within {patience:?}"));
            }
        }
    }

    fn put_frame(&self, at: &'static Location<'static>, frame: Frame) -> impl Future<Output = ()> + Send {
        let (sender, patience) = (Arc::clone(&self.sender), self.patience);
        async move {
            if timeout(patience, sender.frame(frame)).await.is_err() {
                fail(at, format_args!("the server did not read what was sent within {patience:?}"));
            }
        }
    }

    /// Waits for one more frame.
    pub(super) async fn pull(&mut self, deadline: Instant) -> Pulled {
        if self.closed.is_some() {
            return Pulled::Closed;
        }
        match timeout_at(deadline, self.reader.next()).await {
            Ok(Arrived::Closed(code, reason)) => {
                self.closed = Some((code, reason));
                Pulled::Closed
            }
            Ok(arrived) => {
                self.queue.push_back(arrived);
                Pulled::More
            }
            Err(_) => Pulled::TimedOut,
        }
    }

    /// Waits until `take` returns something.
    pub(super) async fn wait_for<T>(
        &mut self,
        at: &'static Location<'static>,
        what: impl fmt::Display,
        mut take: impl FnMut(&mut Self) -> Option<T>,
    ) -> T {
        let deadline = deadline(self.patience);
        loop {
            if let Some(taken) = take(self) {
                return taken;
            }
            match self.pull(deadline).await {
                Pulled::More => {}
                Pulled::Closed => {
                    let how = self.how_closed().unwrap_or_default();
                    fail(at, format_args!("expected {what}, but {how}{}", meanwhile(self.queue.iter())))
                }
                Pulled::TimedOut => {
                    let patience = self.patience;
                    fail(at, format_args!("waited {patience:?} for {what}{}", meanwhile(self.queue.iter())))
                }
            }
        }
    }

    /// Takes the next frame that is for the application.
    pub(super) fn take_next(&mut self) -> Option<Arrived> {
        let is_next = |arrived: &Arrived| match arrived {
            Arrived::Message(envelope) => {
                !envelope.is_protocols_own() && envelope.id.as_ref().is_none_or(|id| !self.calls.contains(id))
            }
            _ => true,
        };
        let index = self.queue.iter().position(is_next)?;
        self.queue.remove(index)
    }

    /// Takes the next message of a call.
    pub(super) fn take_of(&mut self, id: &str) -> Option<Envelope> {
        let of =
            |arrived: &Arrived| matches!(arrived, Arrived::Message(envelope) if envelope.id.as_deref() == Some(id));
        let index = self.queue.iter().position(of)?;
        match self.queue.remove(index) {
            Some(Arrived::Message(envelope)) => Some(envelope),
            _ => None,
        }
    }

    pub(super) fn closed(&self) -> Option<&(CloseCode, String)> {
        self.closed.as_ref()
    }

    pub(super) fn how_closed(&self) -> Option<String> {
        self.closed.as_ref().map(|(code, reason)| closed(*code, reason))
    }
}

/// Returns the time after `patience`, or after a year if that is out of range.
pub(super) fn deadline(patience: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(patience).unwrap_or_else(|| now + Duration::from_secs(86400 * 365))
}

impl fmt::Debug for TestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClient").field("arrived", &self.queue).field("closed", &self.closed).finish_non_exhaustive()
    }
}
