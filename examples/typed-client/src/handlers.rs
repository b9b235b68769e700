//! The handlers of the WebSocket.

use std::time::Duration;

use axum::extract::State;
use switchboard::{Conn, Hub, Progress, WsError};
use tokio::time::sleep;

use crate::{
    TOPIC,
    board::Board,
    messages::{Ask, Asked, ClosePoll, Closed, Countdown, GetPoll, Join, Joined, Poll, Vote, Voted},
};

/// The time left to vote after a request to close the poll.
const COUNTDOWN_SECONDS: u32 = 5;

/// The state at the start. Changes are published to the topic.
pub(crate) async fn get_poll(State(board): State<Board>, _: GetPoll) -> Poll {
    board.poll()
}

pub(crate) async fn join(conn: Conn, hub: Hub, State(board): State<Board>, join: Join) -> Result<Joined, WsError> {
    hub.publish(TOPIC, board.join(conn.id(), &join.name)?).await?;
    Ok(Joined { name: join.name })
}

pub(crate) async fn vote(conn: Conn, hub: Hub, State(board): State<Board>, vote: Vote) -> Result<Voted, WsError> {
    let (label, poll) = board.vote(conn.id(), &vote)?;
    hub.publish(TOPIC, poll).await?;
    Ok(Voted { label })
}

pub(crate) async fn ask(conn: Conn, hub: Hub, State(board): State<Board>, ask: Ask) -> Result<Asked, WsError> {
    let poll = board.ask(conn.id(), ask)?;
    let number = poll.number;
    hub.publish(TOPIC, poll).await?;
    Ok(Asked { number })
}

/// If the client aborts the request, this future is dropped at its `.await`, and the poll stays open.
pub(crate) async fn close_poll(
    conn: Conn,
    hub: Hub,
    State(board): State<Board>,
    mut progress: Progress<Countdown>,
    request: ClosePoll,
) -> Result<Closed, WsError> {
    board.check_open(conn.id(), request.number)?;
    for seconds_left in (1..=COUNTDOWN_SECONDS).rev() {
        progress.send(Countdown { seconds_left }).await?;
        sleep(Duration::from_secs(1)).await;
    }
    let (winners, poll) = board.close(conn.id(), request.number)?;
    hub.publish(TOPIC, poll).await?;
    Ok(Closed { winners })
}

pub(crate) async fn leave(conn: Conn, hub: Hub, State(board): State<Board>) -> Result<(), WsError> {
    if let Some(poll) = board.leave(conn.id()) {
        hub.publish(TOPIC, poll).await?;
    }
    Ok(())
}
