//! What nodes ask each other beyond messages: commands for the connections of a user, and questions to all nodes.
//!
//! Questions and their answers are JSON, so that a node can ignore those of a later version.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use switchboard_cluster::{CommandKind, ReceivedCommand, UserChange, UserChangeKind};
use switchboard_core::CloseCode;

use super::Link;
use crate::{
    conn::{ConnId, Signal},
    hub::{Gathered, Hub, UserEvent, registry::send_to_all},
    wire::Frame,
};

/// A question to all nodes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "camelCase")]
enum Query<'a> {
    /// The ids of a user's connections.
    Connections {
        #[serde(borrow)]
        user: Cow<'a, str>,
    },
    /// The number of a topic's subscribers.
    Subscribers {
        #[serde(borrow)]
        topic: Cow<'a, str>,
    },
    /// End a connection's subscription.
    Remove {
        #[serde(borrow)]
        topic: Cow<'a, str>,
        #[serde(borrow)]
        conn: Cow<'a, str>,
    },
    /// Authorise a topic's subscribers again.
    ReauthorizeTopic {
        #[serde(borrow)]
        topic: Cow<'a, str>,
    },
    /// Send a message to a connection.
    Send {
        #[serde(borrow)]
        conn: Cow<'a, str>,
        #[serde(borrow)]
        message: Cow<'a, str>,
    },
    /// Close a connection.
    Disconnect {
        #[serde(borrow)]
        conn: Cow<'a, str>,
        code: u16,
        #[serde(borrow)]
        reason: Cow<'a, str>,
    },
    /// Run a connection's `on_reauthorize` hooks.
    Reauthorize {
        #[serde(borrow)]
        conn: Cow<'a, str>,
    },
}

/// What a command or question has done on this node.
pub(super) enum Applied {
    /// The number of connections.
    Count(usize),
    Ids(Vec<ConnId>),
    /// In a while.
    Later(Hub, Arc<str>),
}

/// Commands for a user.
impl Link {
    /// Returns the ids of a user's connections on all nodes that answered in time.
    pub(crate) async fn ids_of_user(&self, user: &str) -> Gathered<Vec<ConnId>> {
        let answers: Gathered<Vec<Vec<String>>> = self.query(&Query::Connections { user: user.into() }).await;
        let ids = answers.iter().flatten().filter_map(|id| id.parse().ok()).collect();
        Gathered::new(ids, answers.is_complete())
    }

    pub(crate) async fn send_to_user(&self, user: &str, message: &str) -> Gathered<usize> {
        self.command(user, CommandKind::Send, Bytes::copy_from_slice(message.as_bytes())).await
    }

    pub(crate) async fn disconnect_user(&self, user: &str, code: CloseCode, reason: &str) -> Gathered<usize> {
        let payload = [&code.get().to_be_bytes()[..], reason.as_bytes()].concat();
        self.command(user, CommandKind::Disconnect, payload.into()).await
    }

    pub(crate) async fn revoke_user(&self, user: &str, topic: &str) -> Gathered<usize> {
        self.command(user, CommandKind::Revoke, Bytes::copy_from_slice(topic.as_bytes())).await
    }

    pub(crate) async fn reauthorize_user(&self, user: &str) -> Gathered<usize> {
        self.command(user, CommandKind::Reauthorize, Bytes::new()).await
    }
}

/// Questions to all nodes.
impl Link {
    pub(crate) async fn send_to(&self, conn: ConnId, message: &str) -> bool {
        *self.count(&Query::Send { conn: conn.to_string().into(), message: message.into() }).await > 0
    }

    pub(crate) async fn disconnect(&self, conn: ConnId, code: CloseCode, reason: &str) -> bool {
        let conn = conn.to_string().into();
        *self.count(&Query::Disconnect { conn, code: code.get(), reason: reason.into() }).await > 0
    }

    pub(crate) async fn reauthorize(&self, conn: ConnId) -> bool {
        *self.count(&Query::Reauthorize { conn: conn.to_string().into() }).await > 0
    }

    pub(crate) async fn subscriber_count(&self, topic: &str) -> Gathered<usize> {
        self.count(&Query::Subscribers { topic: topic.into() }).await
    }

    pub(crate) async fn remove_subscriber(&self, topic: &str, conn: ConnId) -> bool {
        *self.count(&Query::Remove { topic: topic.into(), conn: conn.to_string().into() }).await > 0
    }

    pub(crate) async fn reauthorize_topic(&self, topic: &str) -> Gathered<usize> {
        self.count(&Query::ReauthorizeTopic { topic: topic.into() }).await
    }

    /// Returns the sum of the numbers that nodes answer.
    async fn count(&self, query: &Query<'_>) -> Gathered<usize> {
        let counts = self.query::<usize>(query).await;
        Gathered::new(counts.iter().sum(), counts.is_complete())
    }

    /// Asks all nodes, and returns the answers that came in time and could be read.
    async fn query<T: DeserializeOwned>(&self, query: &Query<'_>) -> Gathered<Vec<T>> {
        // Nothing in a question fails to serialise.
        let question = serde_json::to_vec(query).unwrap_or_default();
        match self.ask(question.into()).await {
            Ok(answers) => {
                let read: Vec<T> =
                    answers.iter().filter_map(|(_, answer)| serde_json::from_slice(answer).ok()).collect();
                let is_complete = answers.is_complete() && read.len() == answers.len();
                Gathered::new(read, is_complete)
            }
            Err(error) => {
                tracing::warn!(error = error.to_string(), "the other nodes were not asked");
                Gathered::new(Vec::new(), false)
            }
        }
    }
}

impl Hub {
    /// Applies a command to the connections of a user on this node. Returns how many have got it.
    pub(super) fn apply(&self, command: &ReceivedCommand) -> usize {
        let ReceivedCommand { user, kind, payload, .. } = command;
        let conns = self.0.registry.lock().of_user(user.as_str());
        match kind {
            CommandKind::Send => {
                let Ok(text) = std::str::from_utf8(payload) else { return 0 };
                send_to_all(&conns, &Frame::text(text))
            }
            CommandKind::Disconnect => {
                let Some((code, reason)) = payload.split_first_chunk() else { return 0 };
                let Ok(reason) = std::str::from_utf8(reason) else { return 0 };
                let code = CloseCode::from(u16::from_be_bytes(*code));
                conns.iter().for_each(|conn| conn.close(code, reason));
                conns.len()
            }
            CommandKind::Revoke => {
                let Ok(topic) = std::str::from_utf8(payload) else { return 0 };
                conns.iter().filter(|conn| self.remove_subscriber(topic, conn.id)).count()
            }
            CommandKind::Reauthorize => {
                conns.iter().for_each(|conn| conn.signal(Signal::Reauthorize));
                conns.len()
            }
            // Of a later version.
            _ => 0,
        }
    }

    /// Sends the events of users that the cluster has reported.
    pub(super) fn users_changed(&self, changes: Vec<UserChange>) {
        for UserChange { user, kind, connection } in changes {
            let (user, conn) = (Arc::from(user.as_str()), connection.map(ConnId::from_bytes));
            let event = match (kind, conn) {
                (UserChangeKind::Online, conn) => UserEvent::Online { user, conn },
                (UserChangeKind::Offline, conn) => UserEvent::Offline { user, conn },
                (UserChangeKind::ConnectionAdded, Some(conn)) => UserEvent::ConnectionAdded { user, conn },
                (UserChangeKind::ConnectionEnded, Some(conn)) => UserEvent::ConnectionEnded { user, conn },
                _ => continue,
            };
            self.0.users.reported(event);
        }
        self.send_user_events();
    }

    /// Answers a question. `None` if it is of a later version.
    pub(super) fn answer(&self, question: &[u8]) -> Option<Applied> {
        let query: Query<'_> = serde_json::from_slice(question).ok()?;
        let conn = |id: &str| id.parse().ok().and_then(|id| self.0.connection(id));
        Some(Applied::Count(match query {
            Query::Connections { user } => return Some(Applied::Ids(self.0.registry.lock().ids_of(&user))),
            Query::ReauthorizeTopic { topic } => return Some(Applied::Later(self.clone(), topic.into())),
            Query::Subscribers { topic } => self.find_topic(&topic).map_or(0, |topic| topic.len()),
            Query::Remove { topic, conn } => {
                conn.parse().map_or(0, |conn| usize::from(self.remove_subscriber(&topic, conn)))
            }
            Query::Send { conn: id, message } => {
                conn(&id).map_or(0, |conn| usize::from(conn.push(Frame::text(&message)).is_ok()))
            }
            Query::Disconnect { conn: id, code, reason } => conn(&id).map_or(0, |conn| {
                conn.close(code.into(), &reason);
                1
            }),
            Query::Reauthorize { conn: id } => conn(&id).map_or(0, |conn| {
                conn.signal(Signal::Reauthorize);
                1
            }),
        }))
    }
}

impl Applied {
    pub(super) async fn encode(self) -> Bytes {
        let json = match self {
            Self::Count(count) => serde_json::to_vec(&count),
            Self::Ids(ids) => serde_json::to_vec(&ids.iter().map(ToString::to_string).collect::<Vec<_>>()),
            Self::Later(hub, topic) => serde_json::to_vec(&hub.reauthorize_subscribers(&topic).await),
        };
        // Numbers and strings do not fail to serialise.
        json.unwrap_or_default().into()
    }
}
