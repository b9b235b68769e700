//! `/ws/games/{game_id}/players/{player_id}`: two parameters, each of its own type.

use std::sync::Arc;

use axum::extract::Path;
use serde::Deserialize;
use switchboard::{Conn, EnvelopeStyle, WsError, WsMessages, WsRouter, ws_message};

use crate::occupancy::Occupancy;

/// An invalid path is answered with 400 at the upgrade.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Seat {
    game_id: u64,
    player_id: u8,
}

impl Seat {
    fn topic(self) -> String {
        format!("game:{}", self.game_id)
    }
}

#[ws_message("move")]
struct Move {
    #[validate(length(min = 1, max = 20))]
    to: String,
}

/// To all players of a game.
#[ws_message("moved")]
pub(crate) struct Moved {
    game_id: u64,
    player_id: u8,
    to: String,
}

/// The messages that this route may send.
#[derive(WsMessages)]
pub(crate) enum ServerMessage {
    Moved(Moved),
}

type Client = Conn<(), ServerMessage>;

pub(crate) fn ws() -> WsRouter<Arc<Occupancy>, (), ServerMessage> {
    WsRouter::<_, ()>::sending::<ServerMessage>().envelope(EnvelopeStyle::Flat).on_open(opened).on(make_move)
}

async fn opened(client: Client, Path(seat): Path<Seat>) -> Result<(), WsError> {
    client.subscribe(seat.topic()).await?;
    Ok(())
}

async fn make_move(client: Client, Path(seat): Path<Seat>, msg: Move) -> Result<(), WsError> {
    let Seat { game_id, player_id } = seat;
    client.publish(seat.topic(), Moved { game_id, player_id, to: msg.to }).await?;
    Ok(())
}
