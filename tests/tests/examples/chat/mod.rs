//! The chat of `examples/chat` over real sockets.

mod client;
mod extending;
mod messages;
mod page;
mod people;
mod rooms;

use serde_json::Value;
use switchboard_tests::client::Server;

/// Starts a chat.
fn chat() -> Server {
    Server::start(chat::app())
}

/// Returns the JSON at a path.
async fn get(chat: &Server, path: &str) -> Value {
    chat.http("GET", path, None).await.1
}

fn counts(list: &Value) -> Vec<u64> {
    list["rooms"].as_array().expect("rooms").iter().map(|room| room["userCount"].as_u64().expect("a count")).collect()
}
