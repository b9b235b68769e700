use axum::Router;
use switchboard::{WsRouter, ws_message, ws_route};

#[ws_message("SAY")]
struct Say {
    #[validate(length(min = 1, max = 200))]
    text: String,
}

async fn say(say: Say) -> Say {
    say
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new().route("/ws", ws_route(WsRouter::<()>::new().on(say)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    switchboard::serve(listener, app).await
}
