//! Requests of other nodes to clients of this one.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use switchboard_cluster::{ClientRequestReply, ClientsOf, ReceivedClientRequest};
use tokio::{sync::oneshot, time::Instant};

use super::{
    Link, RawAnswer,
    clients::{ClientRequest, To, encode_response, too_many},
};
use crate::{
    conn::{AnyConn, ConnId, call_serialised},
    hub::{
        Hub,
        calls::{MAX_CONCURRENT, Target, until},
    },
};

impl Link {
    /// Passes a request on to the clients that it is for, in a task of its own, until they have answered or the asking node
    /// needs no more. The cluster limits the number of these tasks.
    pub(super) fn serve_clients(self: &Arc<Self>, hub: &Hub, request: ReceivedClientRequest) {
        let (cancel, mut cancelled) = oneshot::channel();
        self.state.lock().waiting.served.insert(request.reply, cancel);
        let serving = Serving { link: Arc::clone(self), reply: request.reply, is_complete: false };
        let Some(conns) = clients(hub, &request) else { return };
        tokio::spawn(async move {
            tokio::select! {
                () = serving.serve(conns, &request) => {}
                // The sender is dropped.
                _ = &mut cancelled => {}
            }
        });
    }
}

/// Returns the clients that a request is for. `None` if a later version has written it.
fn clients(hub: &Hub, request: &ReceivedClientRequest) -> Option<Vec<Arc<AnyConn>>> {
    let ClientRequest { to, .. } = serde_json::from_slice(&request.payload).ok()?;
    let target = match (to, &request.clients) {
        (To::User, ClientsOf::User(user)) => Target::User(user.as_str().into()),
        (To::Topic(topic), _) => Target::Topic(topic.into()),
        (To::Connection(id), _) => Target::Connection(id.parse().ok()?),
        (To::User, _) => return None,
    };
    Some(target.local(hub))
}

/// Says that this node's part is done, when it is dropped.
struct Serving {
    link: Arc<Link>,
    reply: ClientRequestReply,
    is_complete: bool,
}

impl Serving {
    async fn serve(mut self, conns: Vec<Arc<AnyConn>>, request: &ReceivedClientRequest) {
        let deadline = Instant::now().checked_add(request.time);
        let Ok(ClientRequest { message_type, response, payload, .. }) = serde_json::from_slice(&request.payload) else {
            return;
        };
        let (message_type, response, payload) = (&*message_type, &*response, payload.map(|payload| payload.get()));
        let calls: Vec<_> = conns
            .into_iter()
            .map(|conn| async move {
                (conn.id, until(deadline, call_serialised(&conn, message_type, response, payload)).await)
            })
            .collect();
        let mut answers = stream::iter(calls).buffer_unordered(MAX_CONCURRENT);
        let mut is_complete = true;
        while let Some((conn, answer)) = answers.next().await {
            is_complete &= self.respond(conn, &answer);
        }
        self.is_complete = is_complete;
    }

    /// Passes on an answer, or that it is too long. Returns `false` if there is not even room for that.
    fn respond(&self, conn: ConnId, answer: &RawAnswer) -> bool {
        let respond = |answer: &RawAnswer| {
            let response = encode_response(conn, answer);
            self.link.input(|cluster, _, now| cluster.respond(self.reply, response, now))
        };
        respond(answer).or_else(|too_long| respond(&Err(too_many(&too_long)))).is_ok()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.link.input(|cluster, waiting, now| {
            waiting.served.remove(&self.reply);
            cluster.end_client_request(self.reply, self.is_complete, now);
        });
    }
}
