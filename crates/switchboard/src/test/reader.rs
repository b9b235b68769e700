//! The task of a client, which reads and answers pings and requests.

use std::{collections::HashMap, pin::pin, sync::Arc};

use futures_util::{
    SinkExt as _, StreamExt as _,
    future::{Either, select},
    stream::{SplitSink, SplitStream},
};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use switchboard_core::{
    CloseCode,
    envelope::{Codec, Wire, WireFrame},
};
use tokio::sync::{Mutex as AsyncMutex, mpsc, watch};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message as Frame};

use super::wire::{Arrived, Envelope};

/// The number of frames that a client buffers. Beyond it the client stops reading.
pub(super) const INBOX: usize = 16 * 1024;

/// The client's end of a connection.
type Stream = WebSocketStream<TokioIo<Upgraded>>;

/// Returns the frame that answers a request of one type.
pub(super) type Answer = Box<dyn FnMut(&Envelope) -> String + Send>;

/// The sending half of a client.
pub(super) struct Sender {
    sink: AsyncMutex<SplitSink<Stream, Frame>>,
    wire: Wire,
    pub(super) answers: Mutex<HashMap<&'static str, Answer>>,
}

impl Sender {
    /// Sends a standard envelope, converted to the connection's form. Does nothing on a closed connection.
    pub(super) async fn envelope(&self, text: String) {
        let frame = match self.wire.from_standard(&text) {
            Some(WireFrame::Text(text)) => Frame::text(text),
            Some(WireFrame::Binary(bytes)) => Frame::binary(bytes),
            // Not an envelope: sent as it is, so that the server refuses it.
            None => Frame::text(text),
        };
        self.frame(frame).await;
    }

    pub(super) async fn frame(&self, frame: Frame) {
        if let Err(error) = self.sink.lock().await.send(frame).await {
            // The next expectation fails.
            tracing::debug!(%error, "a frame of a test was not sent");
        }
    }

    fn arrived(&self, frame: Frame) -> Option<Arrived> {
        Some(match frame {
            Frame::Text(text) => {
                let text = self.wire.text_to_standard(&text).map_or_else(|_| text.to_string(), Into::into);
                Envelope::parse(text).map_or_else(Arrived::Text, Arrived::Message)
            }
            Frame::Binary(bytes) => {
                let standard = match self.wire.codec() {
                    Codec::MessagePack => self.wire.messagepack_to_standard(&bytes).ok(),
                    _ => None,
                };
                let envelope = standard.and_then(|text| Envelope::parse(text).ok());
                envelope.map_or(Arrived::Binary(bytes), Arrived::Message)
            }
            Frame::Close(Some(frame)) => Arrived::Closed(u16::from(frame.code).into(), frame.reason.to_string()),
            Frame::Close(None) => Arrived::Closed(CloseCode::NO_STATUS, String::new()),
            // The stream answers pings.
            Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_) => return None,
        })
    }

    /// Returns the answer to a request, if the test has set one with `answer`.
    fn answer(&self, arrived: &Arrived) -> Option<String> {
        let Arrived::Message(envelope) = arrived else { return None };
        envelope.id.as_ref()?;
        let mut answers = self.answers.lock();
        let answer = answers.get_mut(envelope.message_type.as_str())?;
        Some(answer(envelope))
    }
}

/// Splits a connection into its sending half and the task that reads.
pub(super) fn start(stream: Stream, wire: Wire) -> (Arc<Sender>, Reader) {
    let (sink, stream) = stream.split();
    let sender = Arc::new(Sender { sink: AsyncMutex::new(sink), wire, answers: Mutex::default() });
    let (arrived, inbox) = mpsc::channel(INBOX);
    let (holds, held) = watch::channel(false);
    let task = tokio::spawn(read(stream, Arc::clone(&sender), arrived, held));
    (sender, Reader { inbox, holds, task: Some(task) })
}

/// A handle to the task that reads.
pub(super) struct Reader {
    inbox: mpsc::Receiver<Arrived>,
    pub(super) holds: watch::Sender<bool>,
    task: Option<tokio::task::JoinHandle<()>>,
}

impl Reader {
    /// Waits for the next frame.
    ///
    /// # Panics
    ///
    /// If the task has panicked, in a closure given to `answer`.
    pub(super) async fn next(&mut self) -> Arrived {
        if let Some(arrived) = self.inbox.recv().await {
            return arrived;
        }
        if let Some(task) = &mut self.task {
            let ended = task.await;
            self.task = None;
            if let Err(error) = ended
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        }
        Arrived::Closed(CloseCode::ABNORMAL, String::new())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn read(
    mut stream: SplitStream<Stream>,
    sender: Arc<Sender>,
    inbox: mpsc::Sender<Arrived>,
    mut held: watch::Receiver<bool>,
) {
    let mut closed = false;
    loop {
        if held.wait_for(|held| !held).await.is_err() {
            return;
        }
        let frame = match select(pin!(held.wait_for(|held| *held)), stream.next()).await {
            Either::Left(_) => continue,
            Either::Right((frame, _)) => frame,
        };
        let Some(Ok(frame)) = frame else { break };
        let Some(arrived) = sender.arrived(frame) else { continue };
        if let Some(answer) = sender.answer(&arrived) {
            sender.envelope(answer).await;
            continue;
        }
        closed |= matches!(arrived, Arrived::Closed(..));
        // Reads on after a close frame, so that the stream answers it.
        if inbox.send(arrived).await.is_err() {
            return;
        }
    }
    if !closed {
        // Fails if the client was dropped.
        let _ = inbox.send(Arrived::Closed(CloseCode::ABNORMAL, String::new())).await;
    }
}
