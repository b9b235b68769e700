//! The handlers of the conformance server.

use std::time::Duration;

use axum::{body::Bytes, extract::Path};
use switchboard::{CloseCode, Conn, Hub, Meta, Progress, RouteOptions, SendError, WsError, WsRouter};

use super::{
    App, User, jobs,
    messages::{
        Add, Answered, Ask, AskMe, Auth, Authed, Count, CountItem, CountStep, Counted, Done, Empty, EmptyOk, Fail,
        Flood, Inspect, Inspected, Join, Joined, Kick, Kicked, Leave, Left, Me, Note, Panic, Ping, Pong, RoomMeta,
        RoomNote, RoomNoted, Said, Say, Sleep, Slept, Slow, Sum, WhoAmI,
    },
};

/// How many requests of one type run concurrently.
const BESIDE: usize = 64;

/// The handlers of all routes. `options`: the options of requests.
pub(super) fn router(app: &App, requests: RouteOptions) -> WsRouter<App, User> {
    WsRouter::new()
        .hub(app.hub.clone())
        .identify(|user: &User| user.name.map(Into::into))
        .emits::<Ask>()
        .emits::<CountItem>()
        .emits::<Note>()
        .emits::<Said>()
        .on(ping)
        .on(empty)
        .on(room_note)
        .on(slow)
        .on(join)
        .on(leave)
        .on(say)
        .on(ask_me)
        .on(flood)
        .on_with(add, requests)
        .on_with(count, requests)
        .on_with(sleep, requests)
        .on_with(fail, requests)
        .on_with(panic, requests)
        .on_with(who_am_i, requests)
        .on_with(inspect, requests)
        .on_with(kick, requests)
        .on_with(jobs::job, requests)
}

/// Options of concurrent requests.
pub(super) fn beside() -> RouteOptions {
    RouteOptions::new().concurrent(BESIDE)
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

async fn count(mut progress: Progress<CountStep>, count: Count) -> Result<Counted, WsError> {
    for n in 1..=count.to {
        progress.send(CountStep { n }).await?;
    }
    Ok(Counted { total: count.to })
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
        Some(Some(ms)) => error.with_retry_after(Duration::from_millis(ms)),
    })
}

#[expect(clippy::panic, reason = "clients test this")]
async fn panic(_: Panic) -> Result<Sum, WsError> {
    panic!("as asked")
}

/// In-band authentication, on `/limited`.
pub(super) async fn auth(conn: Conn<User>, auth: Auth) -> Result<Authed, WsError> {
    let Some(user) = super::user_of(&auth.token) else {
        conn.close(CloseCode::POLICY, "Invalid token");
        return Err(WsError::unauthenticated("Invalid token"));
    };
    conn.identify(user)?;
    Ok(Authed { user: user.to_owned() })
}

async fn join(conn: Conn<User>, hub: Hub, join: Join) -> Result<Joined, WsError> {
    if join.topic.starts_with("private:") && conn.user().as_deref() != Some("alice") {
        return Err(WsError::permission_denied("this topic is private"));
    }
    conn.subscribe(&join.topic).await?;
    Ok(Joined { members: hub.topic(&join.topic).subscriber_count().await.into_inner(), topic: join.topic })
}

async fn leave(conn: Conn<User>, hub: Hub, leave: Leave) -> Result<Left, WsError> {
    conn.unsubscribe(&leave.topic).await?;
    Ok(Left { members: hub.topic(&leave.topic).subscriber_count().await.into_inner(), topic: leave.topic })
}

async fn say(conn: Conn<User>, say: Say) -> Result<(), WsError> {
    let Say { topic, text, include_self } = say;
    let from = conn.user().as_deref().map(str::to_owned);
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
        user: conn.user().as_deref().map(str::to_owned),
        room: room.map(|Path(room)| room),
        topics: conn.topics(),
        remote_addr: conn.remote_addr().map(|addr| addr.to_string()).unwrap_or_default(),
    }
}

async fn inspect(hub: Hub, _: Inspect) -> Inspected {
    let stats = hub.stats();
    Inspected { running: stats.running_handlers, dropped: stats.dropped_handlers, connections: stats.connections }
}

/// Sends the client the call that it requested.
async fn ask_me(conn: Conn<User>, ask: AskMe) -> Result<Answered, WsError> {
    let answer = conn.call(Ask { question: ask.question }).timeout(Duration::from_secs(2)).await?;
    Ok(Answered { text: answer.text })
}

async fn kick(hub: Hub, kick: Kick) -> Kicked {
    let found = match kick.client_id.parse() {
        Ok(id) => hub.connection(id).disconnect().await,
        Err(_) => false,
    };
    Kicked { found }
}

/// As fast as the client reads.
async fn flood(conn: Conn<User>, flood: Flood) -> Result<(), SendError> {
    let pad = "x".repeat(flood.bytes);
    for n in 0..flood.count {
        conn.ready().await?;
        conn.send(CountItem { n, pad: pad.clone() })?;
    }
    Ok(())
}

/// Returns binary frames with their bytes reversed.
pub(super) async fn reversed(conn: Conn<User>, bytes: Bytes) -> Result<(), SendError> {
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    conn.send_binary(reversed)
}
