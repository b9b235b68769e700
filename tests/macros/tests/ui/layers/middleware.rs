use axum::extract::State;
use switchboard::{
    Meta, WsError, WsReply, WsRequest, WsRouter,
    middleware::{Next, from_fn},
    ws_message,
};

#[ws_message("PING")]
struct Ping;

#[derive(Clone)]
struct App;

async fn ping(_: Ping) {}

async fn no_next(_: WsRequest<()>) -> Result<WsReply, WsError> {
    Err(WsError::cancelled("not called"))
}

async fn no_state(State(_): State<App>, request: WsRequest<()>, next: Next<()>) -> Result<WsReply, WsError> {
    next.run(request).await
}

async fn needs_message(_: Meta, request: WsRequest<()>, next: Next<()>) -> Result<WsReply, WsError> {
    next.run(request).await
}

fn main() {
    let _ = WsRouter::<()>::new().on(ping).layer(from_fn(no_next));
    let _ = WsRouter::<()>::new().on(ping).layer(from_fn(no_state));
    let _ = WsRouter::<()>::new().on(ping).layer(from_fn(needs_message));
}
