//! The application of the benchmarks: a calculator, and a topic to publish to.

use axum::Router;
use switchboard::{Conn, Hub, WsError, WsRouter, ws_message, ws_payload, ws_rpc};

use crate::serve::ws_route;

#[ws_payload]
#[derive(Clone, Copy)]
enum Op {
    Add,

    Sub,

    Mul,
}

#[ws_rpc("CALC", response = CalcResult)]
struct Calc {
    a: f64,
    b: f64,
    op: Op,
    #[validate(length(max = 2000))]
    note: Option<String>,
}

#[ws_message("CALC_RESULT")]
struct CalcResult {
    result: f64,
}

#[ws_message("JOIN")]
struct Join {
    topic: String,
}

#[ws_message("JOINED")]
struct Joined {
    topic: String,
}

#[ws_message("PUBLISH")]
struct Publish {
    topic: String,
    data: String,
}

#[ws_message("EVENT")]
struct Event {
    topic: String,
    data: String,
}

async fn calc(calc: Calc) -> CalcResult {
    let Calc { a, b, op, note: _ } = calc;
    let result = match op {
        Op::Add => a + b,
        Op::Sub => a - b,
        Op::Mul => a * b,
    };
    CalcResult { result }
}

async fn join(conn: Conn, join: Join) -> Result<Joined, WsError> {
    conn.subscribe(&join.topic).await?;
    Ok(Joined { topic: join.topic })
}

async fn publish(conn: Conn, publish: Publish) -> Result<(), WsError> {
    let Publish { topic, data } = publish;
    conn.publish(topic.clone(), Event { topic, data }).await?;
    Ok(())
}

async fn publish_unconfirmed(conn: Conn, publish: Publish) -> Result<(), WsError> {
    let Publish { topic, data } = publish;
    conn.publish(topic.clone(), Event { topic, data }).unconfirmed().await?;
    Ok(())
}

/// Returns the application, at `/ws`.
pub fn app() -> Router {
    app_on(&Hub::new(), false)
}

/// Returns the application on a hub, at `/ws`. Whether its publishes are unconfirmed makes no difference without a
/// broker; with one, a client's next message waits until a confirmed one is there.
pub fn app_on(hub: &Hub, unconfirmed: bool) -> Router {
    let router = WsRouter::new().hub(hub.clone()).on(calc).on(join);
    let router = if unconfirmed { router.on(publish_unconfirmed) } else { router.on(publish) };
    Router::new().route("/ws", ws_route(router))
}
