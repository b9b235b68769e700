//! The handlers of the clients' messages.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use switchboard::{Conn, WsError, ws_handlers};

use super::{
    messages::{
        Enter, Entered, Greet, Here, Joined, Left, Member, MemberTyping, Message, SaidIt, Say, Typing, Welcome,
    },
    pulse::{Pulse, link_of},
    rooms::{RoomName, user_id},
    session::{Session, Visit},
};

type Client = Conn<Session>;

/// One node. Its methods are the handlers of the WebSocket.
///
/// The rooms and their members are the hub's topics and subscribers; besides, there is nothing that a node would have to
/// share with the others.
#[derive(Debug)]
pub(crate) struct Node {
    name: String,
    pulse: Arc<Pulse>,
    published: Arc<AtomicU64>,
}

#[ws_handlers(data = Session)]
impl Node {
    pub(crate) fn new(name: String, pulse: Arc<Pulse>, published: Arc<AtomicU64>) -> Self {
        Self { name, pulse, published }
    }

    #[ws(on_open)]
    async fn opened(&self, client: Client) -> Result<(), WsError> {
        let hub = client.hub();
        // Nothing that needs the broker: a page can connect while it is away, and is told.
        client.send(Welcome { node: self.name.clone(), link: link_of(hub), rooms: self.pulse.rooms(hub) })?;
        self.pulse.wake();
        Ok(())
    }

    async fn enter(&self, client: Client, enter: Enter) -> Result<Entered, WsError> {
        let room = RoomName::find(&enter.room_id)?;
        let member = Member {
            user_id: user_id(&enter.token),
            name: enter.name,
            node: self.name.clone(),
            connection: client.id().to_string(),
        };
        client.identify(member.user_id.as_str())?;
        if client.data().visit().is_some_and(|visit| visit.room != room) {
            self.leave(&client).await;
        }
        client.subscribe(room.topic()).await?;
        client.data().enter(Visit { member: member.clone(), room });
        self.publish(&client, room, Joined { room_id: room.id.into(), member: member.clone() }).await?;
        self.pulse.wake();
        Ok(Entered { room_id: room.id.into(), me: member })
    }

    async fn say(&self, client: Client, say: Say) -> Result<SaidIt, WsError> {
        let Visit { member, room } = visit_of(&client, &say.room_id)?;
        let Say { room_id, message_id, text } = say;
        self.publish(&client, room, Message { room_id, member, message_id, text, sent_at: now_ms() }).await?;
        Ok(SaidIt {})
    }

    /// Ignored from outside a room: the notice may have crossed with leaving it.
    async fn typing(&self, client: Client, typing: Typing) -> Result<(), WsError> {
        let Some(Visit { member, room }) = client.data().visit() else { return Ok(()) };
        let notice = MemberTyping { room_id: room.id.into(), member, typing: typing.typing };
        // Without the broker it is of no use later.
        if let Err(error) = client.publish(room.topic(), notice).except_self().await {
            tracing::debug!(error = error.to_string(), "a typing notice was not published");
        }
        Ok(())
    }

    /// The hub finds the person on whichever node they are.
    async fn greet(&self, client: Client, greet: Greet) -> Result<(), WsError> {
        let Some(Visit { member, room }) = client.data().visit() else { return Ok(()) };
        client.hub().user(&greet.user_id).send(Here { room_id: room.id.into(), member }).await?;
        Ok(())
    }

    #[ws(on_close)]
    async fn closed(&self, client: Client) -> Result<(), WsError> {
        self.leave(&client).await;
        Ok(())
    }

    /// Takes a connection out of its room. The others are told if the broker is there; the counts do not depend on it.
    #[ws(skip)]
    async fn leave(&self, client: &Client) {
        let Some(Visit { member, room }) = client.data().leave() else { return };
        if let Err(error) = client.unsubscribe(room.topic()).await {
            tracing::debug!(error = error.to_string(), "the subscription ends with the connection");
        }
        let left = client.hub().publish(room.topic(), Left { room_id: room.id.into(), member });
        match left.await {
            Ok(_) => _ = self.published.fetch_add(1, Relaxed),
            Err(error) => tracing::info!(error = error.to_string(), "the others are not told that somebody left"),
        }
        self.pulse.wake();
    }

    #[ws(skip)]
    async fn publish<M>(&self, client: &Client, room: RoomName, message: M) -> Result<(), WsError>
    where
        M: switchboard::Message<Meta = ()>,
    {
        client.publish(room.topic(), message).await?;
        self.published.fetch_add(1, Relaxed);
        Ok(())
    }
}

fn visit_of(client: &Client, room_id: &str) -> Result<Visit, WsError> {
    let visit = client.data().visit().filter(|visit| visit.room.id == room_id);
    visit.ok_or_else(|| WsError::failed_precondition("You are not in this room: send ENTER first"))
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
