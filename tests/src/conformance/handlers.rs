//! The handlers of the conformance server.

use std::time::Duration;

use axum::{body::Bytes, extract::Path};
use switchboard::{Conn, Hub, Meta, SendError, WsError, WsRouter};

use super::{
    App, User,
    messages::{
        Add, Done, Empty, EmptyOk, Fail, Join, Joined, Leave, Left, Me, Panic, Ping, Pong, RoomMeta, RoomNote,
        RoomNoted, Said, Say, Sleep, Slept, Slow, Sum, WhoAmI,
    },
};

pub(super) fn router(app: &App) -> WsRouter<App, User> {
    WsRouter::new()
        .hub(app.hub.clone())
        .on(ping)
        .on(empty)
        .on(room_note)
        .on(add)
        .on(sleep)
        .on(slow)
        .on(fail)
        .on(panic)
        .on(join)
        .on(leave)
        .on(say)
        .on(who_am_i)
}

async fn ping(ping: Ping) -> Pong {
    Pong { text: ping.text }
}

async fn empty(_: Empty) -> EmptyOk {
    EmptyOk
}

async fn room_note(meta: Meta<RoomMeta>, note: RoomNote) -> RoomNoted {
    RoomNoted { text: note.text, room_id: meta.into_declared().room_id }
}

async fn add(add: Add) -> Result<Sum, WsError> {
    let result = add.a + add.b;
    // JSON has no infinity.
    if result.is_finite() { Ok(Sum { result }) } else { Err(WsError::invalid_argument("the sum is too large")) }
}

async fn sleep(sleep: Sleep) -> Slept {
    tokio::time::sleep(Duration::from_millis(sleep.ms)).await;
    Slept { ms: sleep.ms }
}

async fn slow(slow: Slow) -> Done {
    tokio::time::sleep(Duration::from_millis(slow.ms)).await;
    Done { id: slow.id }
}

async fn fail(fail: Fail) -> Result<Sum, WsError> {
    let mut error = WsError::new(fail.code, fail.message);
    if let Some(details) = fail.details {
        error = error.with_details(details);
    }
    Err(match fail.retry_after_ms {
        None => error,
        Some(None) => error.never_retry(),
        Some(Some(ms)) => error.with_retry_after_ms(ms),
    })
}

#[expect(clippy::panic, reason = "what clients test")]
async fn panic(_: Panic) -> Result<Sum, WsError> {
    panic!("as asked")
}

async fn join(conn: Conn<User>, hub: Hub, join: Join) -> Result<Joined, WsError> {
    if join.topic.starts_with("private:") && conn.data().0 != Some("alice") {
        return Err(WsError::permission_denied("this topic is private"));
    }
    conn.subscribe(&join.topic).await?;
    Ok(Joined { members: hub.subscribers(&join.topic), topic: join.topic })
}

async fn leave(conn: Conn<User>, hub: Hub, leave: Leave) -> Result<Left, WsError> {
    conn.unsubscribe(&leave.topic).await?;
    Ok(Left { members: hub.subscribers(&leave.topic), topic: leave.topic })
}

async fn say(conn: Conn<User>, say: Say) -> Result<(), WsError> {
    let Say { topic, text, include_self } = say;
    let from = conn.data().0.map(str::to_owned);
    let publish = conn.publish(topic.clone(), Said { topic, text, from });
    if include_self {
        publish.await?
    } else {
        publish.except_self().await?
    };
    Ok(())
}

async fn who_am_i(conn: Conn<User>, room: Option<Path<String>>, _: WhoAmI) -> Me {
    Me {
        client_id: conn.id().to_string(),
        user: conn.data().0.map(str::to_owned),
        room: room.map(|Path(room)| room),
        topics: conn.topics(),
        remote_addr: conn.remote_addr().map(|addr| addr.to_string()).unwrap_or_default(),
    }
}

/// Sends binary frames back with their bytes reversed.
pub(super) async fn reversed(conn: Conn<User>, bytes: Bytes) -> Result<(), SendError> {
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    conn.send_binary(reversed)
}
