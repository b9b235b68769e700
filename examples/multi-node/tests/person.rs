//! A client of the rooms, as the page is one.

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use switchboard_tests::client::{Client, Server};
use tokio::time::timeout;

use crate::running::{PATIENCE, Running};

pub(crate) struct Person {
    name: &'static str,
    pub(crate) token: String,
    pub(crate) client: Client,
    /// The node that its connection goes to.
    pub(crate) node: String,
    pub(crate) welcome: Value,
    pub(crate) user_id: String,
    /// The last number of members of each room that it was told.
    rooms: Value,
    said: u32,
}

impl Person {
    pub(crate) async fn connect(running: &Running, name: &'static str) -> Self {
        let (client, welcome) = open(running).await;
        let node = welcome["node"].as_str().unwrap().to_owned();
        let rooms = welcome["rooms"].clone();
        let token = format!("the token of {name} {name}");
        Self { name, token, client, node, welcome, user_id: String::new(), rooms, said: 0 }
    }

    /// The same person, through another connection.
    pub(crate) async fn reconnect(&mut self, running: &Running) {
        let (client, welcome) = open(running).await;
        self.node = welcome["node"].as_str().unwrap().to_owned();
        self.rooms = welcome["rooms"].clone();
        (self.client, self.welcome) = (client, welcome);
    }

    pub(crate) async fn enter(&mut self, room: &str) {
        let reply = self.request("ENTER", json!({ "roomId": room, "name": self.name, "token": self.token })).await;
        assert_eq!((&reply["type"], &reply["payload"]["roomId"]), (&json!("ENTERED"), &json!(room)), "{reply}");
        self.user_id = reply["payload"]["me"]["userId"].as_str().unwrap().to_owned();
    }

    pub(crate) fn new_message_id(&mut self) -> String {
        self.said += 1;
        format!("{}-message-{:04}-{}", self.name, self.said, self.node)
    }

    /// Says something; the message arrives here before the answer does.
    pub(crate) async fn say(&mut self, room: &str, text: &str) {
        let payload = json!({ "roomId": room, "messageId": self.new_message_id(), "text": text });
        self.client.send_request("SAY", "say", payload).await;
        self.hear(text).await;
        assert_eq!(self.answer("say").await["type"], "SAID_IT");
    }

    /// Sends a request, and skips to its answer.
    pub(crate) async fn request(&mut self, message_type: &str, payload: Value) -> Value {
        self.client.send_request(message_type, "request", payload).await;
        self.answer("request").await
    }

    async fn answer(&mut self, id: &str) -> Value {
        loop {
            let message = self.next().await;
            if message["meta"]["correlationId"] == id {
                return message;
            }
        }
    }

    /// Skips to the next message of a type, and returns its payload.
    pub(crate) async fn until(&mut self, message_type: &str) -> Value {
        loop {
            let mut message = self.next().await;
            if message["type"] == message_type {
                return message["payload"].take();
            }
        }
    }

    /// Skips to a message with this text.
    pub(crate) async fn hear(&mut self, text: &str) -> Value {
        loop {
            let message = self.until("MESSAGE").await;
            if message["text"] == text {
                return message;
            }
        }
    }

    /// Skips to the notice that somebody left.
    pub(crate) async fn until_left(&mut self, name: &str) {
        while self.until("LEFT").await["member"]["name"] != name {}
    }

    /// Skips until all these messages have come, in any order.
    pub(crate) async fn until_all(&mut self, messages: &[Value]) {
        let mut missing = messages.to_vec();
        while !missing.is_empty() {
            let message = self.next().await;
            missing.retain(|wanted| message["type"] != wanted["type"] || message["payload"] != wanted["payload"]);
        }
    }

    /// Waits until a room has so many members, by what the node tells.
    pub(crate) async fn until_members(&mut self, room: &str, members: usize) {
        let count = |rooms: &Value| {
            let rooms = rooms.as_array().unwrap().iter();
            rooms.filter(|candidate| candidate["id"] == room).find_map(|room| room["members"].as_u64())
        };
        while count(&self.rooms) != Some(members as u64) {
            self.next().await;
        }
    }

    /// Waits until the connection is gone without a goodbye.
    pub(crate) async fn until_lost(&mut self) {
        let lost = async { while let Some(Ok(_)) = self.client.ws.next().await {} };
        timeout(PATIENCE, lost).await.unwrap();
    }

    async fn next(&mut self) -> Value {
        let message = self.client.recv().await;
        if message["type"] == "ROOMS" {
            self.rooms = message["payload"]["rooms"].clone();
        }
        message
    }
}

/// Opens a connection through the balancer, which may have no node at the moment, and reads the welcome.
async fn open(running: &Running) -> (Client, Value) {
    let server = Server { addr: running.addr, task: tokio::spawn(async {}) };
    let connect = async {
        loop {
            if let Ok(client) = server.upgrade("/ws", &[("sec-websocket-protocol", "switchboard.v1.json")]).await {
                return client;
            }
        }
    };
    let mut client = timeout(PATIENCE, connect).await.unwrap();
    client.expect("$ws:hello").await;
    let welcome = client.expect("WELCOME").await;
    (client, welcome)
}
