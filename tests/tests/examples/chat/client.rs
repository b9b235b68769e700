//! A user in the chat.

use std::ops::{Deref, DerefMut};

use serde_json::{Value, json};
use switchboard_tests::client::{Client as Socket, Server};

pub(crate) struct Client {
    pub(crate) socket: Socket,
    pub(crate) user_id: String,
}

impl Deref for Client {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        &self.socket
    }
}

impl DerefMut for Client {
    fn deref_mut(&mut self) -> &mut Socket {
        &mut self.socket
    }
}

impl Client {
    pub(crate) async fn connect(chat: &Server) -> Self {
        let socket = chat.connect("/ws").await;
        socket.ws.get_ref().set_nodelay(true).expect("an open socket");
        Self { socket, user_id: String::new() }
    }

    pub(crate) async fn guest(chat: &Server) -> Self {
        let mut client = Self::connect(chat).await;
        client.expect("WELCOME").await;
        client.expect("ROOM_LIST").await;
        client
    }

    pub(crate) async fn user(chat: &Server, name: &str) -> Self {
        let mut client = Self::guest(chat).await;
        client.sign_in(json!({"token": format!("token of {name}"), "username": name})).await;
        client
    }

    /// Returns a user in a room who has read the messages about joining. Messages to other members
    /// are still queued.
    pub(crate) async fn member(chat: &Server, name: &str, room: &str) -> Self {
        let mut client = Self::user(chat, name).await;
        client.send("JOIN_ROOM", json!({"roomId": room})).await;
        for expected in ["JOIN_SUCCESS", "HISTORY", "USER_JOINED", "ROOM:USERS", "ROOM_LIST"] {
            client.expect(expected).await;
        }
        client
    }

    pub(crate) async fn sign_in(&mut self, payload: Value) -> String {
        self.send("AUTHENTICATE", payload).await;
        let mut answer = self.expect("AUTH_SUCCESS").await;
        self.user_id = answer["userId"].as_str().expect("an id").to_owned();
        serde_json::from_value(answer["username"].take()).expect("a name")
    }

    /// Returns the payload of the next frame of that type, skipping others.
    pub(crate) async fn until(&mut self, kind: &str) -> Value {
        loop {
            let mut envelope = self.recv().await;
            if envelope["type"] == kind {
                return envelope["payload"].take();
            }
        }
    }

    /// Reads all messages caused by this client so far, and those that others published before.
    pub(crate) async fn drain(&mut self) -> Vec<Value> {
        // Handled in order, and always refused.
        self.send_request("LEAVE_ROOM", "drain", json!({"roomId": "nowhere"})).await;
        let mut frames = Vec::new();
        loop {
            let envelope = self.recv().await;
            if envelope["meta"]["correlationId"] == "drain" {
                return frames;
            }
            frames.push(envelope);
        }
    }

    pub(crate) async fn drain_types(&mut self) -> Vec<String> {
        let types = self.drain().await.into_iter().map(|mut frame| serde_json::from_value(frame["type"].take()));
        types.map(|kind| kind.expect("a type")).collect()
    }

    /// Asserts that nothing was sent to this client.
    pub(crate) async fn quiet(&mut self) {
        assert_eq!(self.drain_types().await, [""; 0]);
    }

    /// Asserts that a message is refused and has no other effect.
    pub(crate) async fn refused(&mut self, kind: &str, payload: Value, code: &str, message: &str) {
        let error = self.request(kind, "c1", payload).await;
        let got =
            (&error["type"], &error["meta"]["correlationId"], &error["payload"]["code"], &error["payload"]["message"]);
        assert_eq!(got, (&json!("ERROR"), &json!("c1"), &json!(code), &json!(message)));
        self.quiet().await;
    }
}
