//! What is tested with the kit here: rooms for users with a token.

use std::time::Duration;

use axum::{Router, extract::State, http::StatusCode, routing::post};
use switchboard::{
    BearerToken, Conn, Hub, Meta, Progress, RouteOptions, TransportKind, WsError, WsRouter, test::TestApp, ws_message,
    ws_meta, ws_payload, ws_route, ws_rpc,
};

pub(crate) struct User {
    pub(crate) name: String,
}

#[ws_message("WELCOME")]
pub(crate) struct Welcome {
    pub(crate) name: String,
}

#[ws_message("JOIN")]
pub(crate) struct Join {
    #[validate(length(min = 1))]
    pub(crate) room: String,
}

#[ws_message("JOINED")]
pub(crate) struct Joined {
    pub(crate) name: String,
}

/// As a client knows it that is older than the server.
#[ws_message("JOINED")]
pub(crate) struct OldJoined {}

#[ws_message("SAY")]
pub(crate) struct Say {
    pub(crate) room: String,
    pub(crate) text: String,
}

#[ws_message("SAID", meta = Place)]
pub(crate) struct Said {
    pub(crate) text: String,
}

#[ws_meta]
pub(crate) struct Place {
    pub(crate) room: String,
}

#[ws_message("WHISPER", meta = Place)]
pub(crate) struct Whisper {
    pub(crate) text: String,
}

#[ws_message("SUM")]
pub(crate) struct Sum {
    pub(crate) result: f64,
}

#[ws_rpc("ADD", response = Sum)]
pub(crate) struct Add {
    pub(crate) a: f64,
    pub(crate) b: f64,
}

#[ws_message("WAITED")]
pub(crate) struct Waited;

#[ws_payload]
pub(crate) struct Tick {
    pub(crate) ms: u64,
}

/// Takes that long, with progress twice.
#[ws_rpc("WAIT", response = Waited, progress = Tick)]
pub(crate) struct Wait {
    pub(crate) ms: u64,
}

#[ws_message("ANSWER")]
pub(crate) struct Answer {
    pub(crate) text: String,
}

#[ws_rpc("QUESTION", response = Answer)]
pub(crate) struct Question {
    pub(crate) text: String,
}

/// Answered with what the client answers.
#[ws_rpc("ASK_ME", response = Answer)]
pub(crate) struct AskMe;

async fn verify(token: BearerToken) -> Result<User, (StatusCode, String)> {
    match token.as_str() {
        "eve" => Err((StatusCode::FORBIDDEN, "not you".repeat(10_000))),
        name => Ok(User { name: name.into() }),
    }
}

async fn welcome(conn: Conn<User>) -> Result<(), WsError> {
    conn.send(Welcome { name: conn.data().name.clone() })?;
    Ok(())
}

async fn join(conn: Conn<User>, join: Join) -> Result<(), WsError> {
    conn.subscribe(&join.room).await?;
    conn.publish(&join.room, Joined { name: conn.data().name.clone() }).await?;
    Ok(())
}

async fn say(conn: Conn<User>, say: Say) -> Result<(), WsError> {
    conn.publish(&say.room, Answer { text: say.text.clone() }).except_self().await?;
    conn.send_with_meta(Said { text: say.text }, Place { room: say.room })?;
    Ok(())
}

async fn whisper(conn: Conn<User>, meta: Meta<Place>, whisper: Whisper) -> Result<(), WsError> {
    conn.send_with_meta(Said { text: whisper.text }, Place { room: meta.room.clone() })?;
    Ok(())
}

async fn add(add: Add) -> Sum {
    Sum { result: add.a + add.b }
}

async fn wait(mut progress: Progress<Tick>, wait: Wait) -> Result<Waited, WsError> {
    for ms in [wait.ms / 2, wait.ms] {
        tokio::time::sleep(Duration::from_millis(wait.ms / 2)).await;
        progress.send(Tick { ms }).await?;
    }
    Ok(Waited)
}

async fn ask_me(conn: Conn<User>, _: AskMe) -> Result<Answer, WsError> {
    conn.send(Joined { name: "soon".into() })?;
    Ok(conn.call(Question { text: "name?".into() }).await?)
}

pub(crate) fn rooms() -> WsRouter<(), User, switchboard::AnyMessage, switchboard::Authenticated> {
    WsRouter::new()
        .authenticate(verify)
        .on_open(welcome)
        .on(join)
        .on(say)
        .on(whisper)
        .on(add)
        .on_with(wait, RouteOptions::new().concurrent(4))
        .on(ask_me)
}

/// On each transport.
pub(crate) fn apps() -> [TestApp; 2] {
    [TransportKind::Native, TransportKind::Axum].map(|transport| TestApp::new(rooms().transport(transport)))
}

/// The rooms, and a route that publishes.
pub(crate) fn site() -> (Router, Hub) {
    async fn announce(State(hub): State<Hub>, text: String) {
        hub.publish("all", Answer { text }).await.unwrap();
    }
    let hub = Hub::new();
    let ws = ws_route(rooms().hub(hub.clone()));
    (Router::new().route("/ws", ws).route("/announce", post(announce).with_state(hub.clone())), hub)
}
