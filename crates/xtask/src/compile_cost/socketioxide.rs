use axum::Router;
use serde::{Deserialize, Serialize};
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef},
};

#[derive(Deserialize, Serialize)]
struct Say {
    text: String,
}

async fn say(socket: SocketRef, Data(say): Data<Say>) {
    _ = socket.emit("said", &say);
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", async |socket: SocketRef| socket.on("say", say));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, Router::new().layer(layer)).await
}
