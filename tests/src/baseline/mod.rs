//! The application of [`bench`](crate::bench), written by hand on axum, for comparison.
//!
//! Written as by an expert in axum: one task per connection, small buffers, one flush after all
//! arrived messages are answered, an event is encoded once for all members, and slow consumers are
//! disconnected.

mod messages;
mod topics;

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::{
        State,
        ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::any,
};
use futures_util::{FutureExt as _, SinkExt as _};
use tokio::sync::{Notify, mpsc};

use self::{
    messages::{Calc, CalcResult, Event, Fault, Join, Publish, Request},
    topics::{Member, Topics},
};

/// How many events may be queued for a member.
const QUEUE: usize = 1024;

/// The largest message.
const MAX_MESSAGE: usize = 64 * 1024;

/// Returns the application, at `/ws`.
pub fn app() -> Router {
    Router::new().route("/ws", any(upgrade)).with_state(Arc::new(Topics::default()))
}

async fn upgrade(ws: WebSocketUpgrade, State(topics): State<Arc<Topics>>) -> Response {
    ws.read_buffer_size(4 * 1024)
        .write_buffer_size(8 * 1024)
        .max_write_buffer_size(1024 * 1024)
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .on_upgrade(|socket| Connection::new(topics).run(socket))
}

struct Connection {
    topics: Arc<Topics>,
    /// This connection as a member of each topic that it joins.
    member: Member,
    events: mpsc::Receiver<Utf8Bytes>,
    joined: Vec<(String, usize)>,
}

/// The peer has disconnected, or broke the protocol.
struct Ended;

impl Connection {
    fn new(topics: Arc<Topics>) -> Self {
        let (queue, events) = mpsc::channel(QUEUE);
        let member = Member { queue, too_slow: Arc::new(Notify::new()) };
        Self { topics, member, events, joined: Vec::new() }
    }

    async fn run(mut self, mut socket: WebSocket) {
        let too_slow = Arc::clone(&self.member.too_slow);
        tokio::select! {
            _ = self.serve(&mut socket) => {}
            () = too_slow.notified() => {}
        }
        for (topic, key) in self.joined {
            self.topics.leave(&topic, key);
        }
    }

    async fn serve(&mut self, socket: &mut WebSocket) -> Result<(), Ended> {
        loop {
            tokio::select! {
                first = socket.recv() => self.answer(socket, first).await?,
                Some(event) = self.events.recv() => {
                    socket.feed(Message::Text(event)).await.map_err(|_| Ended)?;
                }
            }
            while let Ok(event) = self.events.try_recv() {
                socket.feed(Message::Text(event)).await.map_err(|_| Ended)?;
            }
            socket.flush().await.map_err(|_| Ended)?;
        }
    }

    /// Answers a message, and all others that have arrived.
    async fn answer(
        &mut self,
        socket: &mut WebSocket,
        first: Option<Result<Message, axum::Error>>,
    ) -> Result<(), Ended> {
        let now = now();
        let mut next = Some(first);
        while let Some(message) = next {
            if let Message::Text(text) = message.ok_or(Ended)?.map_err(|_| Ended)?
                && let Some(reply) = self.handle(&text, now)
            {
                socket.feed(Message::Text(reply.into())).await.map_err(|_| Ended)?;
            }
            next = socket.recv().now_or_never();
        }
        Ok(())
    }

    fn handle(&mut self, text: &str, now: u64) -> Option<String> {
        let request = match Request::parse(text) {
            Ok(request) => request,
            Err(fault) => return Some(fault.reply("ERROR", None, now)),
        };
        let id = request.id();
        let (done, error) = match request.message_type() {
            "CALC" => (self.calc(&request, now).map(Some), "RPC_ERROR"),
            "JOIN" => (self.join(&request, now).map(Some), "ERROR"),
            "PUBLISH" => (self.publish(&request, now).map(|()| None), "ERROR"),
            _ => (Err(Fault::unknown_type()), "ERROR"),
        };
        done.unwrap_or_else(|fault| Some(fault.reply(error, id, now)))
    }

    fn calc(&self, request: &Request<'_>, now: u64) -> Result<String, Fault> {
        let calc: Calc<'_> = request.payload()?;
        calc.check()?;
        Ok(messages::reply("CALC_RESULT", request.id(), now, &CalcResult { result: calc.result() }))
    }

    fn join(&mut self, request: &Request<'_>, now: u64) -> Result<String, Fault> {
        let join: Join<'_> = request.payload()?;
        let topic = join.topic.as_ref();
        if !self.joined.iter().any(|(joined, _)| joined == topic) {
            let key = self.topics.join(topic, self.member.clone());
            self.joined.push((topic.to_owned(), key));
        }
        Ok(messages::reply("JOINED", request.id(), now, &join))
    }

    fn publish(&self, request: &Request<'_>, now: u64) -> Result<(), Fault> {
        let Publish { topic, data } = request.payload()?;
        let event = messages::reply("EVENT", None, now, &Event { topic: &topic, data: &data });
        self.topics.publish(&topic, &event.into());
        Ok(())
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
