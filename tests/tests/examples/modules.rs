//! `examples/modules` over real sockets, one test per row of the checklist.

use std::{
    io::Write,
    sync::{Arc, Mutex, OnceLock},
};

use serde_json::{Value, json};
use switchboard_tests::client::{Client, Server};

fn server() -> Server {
    // Before anything is logged: the first event of a call site decides whether it is enabled.
    log();
    Server::start(modules::app())
}

async fn guest(server: &Server, online: usize) -> Client {
    let mut client = server.connect("/ws").await;
    assert_eq!(client.expect("WELCOME").await, json!({ "online": online }));
    client
}

async fn login(client: &mut Client, name: &str) -> Value {
    client.send("LOGIN", json!({ "username": name, "password": format!("{name}-secret") })).await;
    client.expect("LOGIN_SUCCESS").await
}

async fn say(client: &mut Client, text: &str) {
    client.send("SEND_MESSAGE", json!({ "text": text })).await;
}

fn id(client: &Client) -> &str {
    client.headers["x-client-id"].to_str().unwrap()
}

/// Returns the details of the next message, which must be this error.
async fn refused(client: &mut Client, code: &str, text: &str) -> Value {
    let error = client.expect_error("ERROR", code).await;
    assert_eq!(error["message"], text);
    error["details"].clone()
}

#[tokio::test]
async fn merged_and_nested_modules_answer_on_one_connection() {
    let server = server();
    let mut ann = guest(&server, 1).await;
    assert_eq!(ann.request("USER.WHO_AM_I", "1", json!({})).await["type"], "RPC_ERROR");
    ann.text(json!({ "type": "USER.WHO_AM_I", "meta": { "correlationId": "2" } }).to_string()).await;
    assert_eq!(ann.expect("ME").await, json!({ "name": null, "roles": [] }));
    login(&mut ann, "ann").await;
    ann.text(json!({ "type": "USER.WHO_AM_I", "meta": { "correlationId": "3" } }).to_string()).await;
    assert_eq!(ann.expect("ME").await, json!({ "name": "ann", "roles": ["user", "admin"] }));
    say(&mut ann, "hi").await;
    assert_eq!(ann.expect("MESSAGE").await, json!({ "name": "ann", "text": "hi" }));
    // Without the prefix, the type is unknown.
    ann.text(json!({ "type": "WHO_AM_I", "meta": { "correlationId": "4" } }).to_string()).await;
    ann.expect_error("RPC_ERROR", "UNIMPLEMENTED").await;
}

#[tokio::test]
async fn routers_of_modules_form_one_chat() {
    let server = server();
    let (mut ann, mut bob) = (guest(&server, 1).await, guest(&server, 2).await);
    bob.send("LOGIN", json!({ "username": "bob", "password": "ann-secret" })).await;
    refused(&mut bob, "UNAUTHENTICATED", "Invalid credentials").await;
    assert_eq!(login(&mut bob, "bob").await, json!({ "userId": "u-bob", "roles": ["user"] }));
    assert_eq!(login(&mut ann, "ann").await, json!({ "userId": "u-ann", "roles": ["user", "admin"] }));
    say(&mut bob, "hi").await;
    for client in [&mut ann, &mut bob] {
        assert_eq!(client.expect("MESSAGE").await, json!({ "name": "bob", "text": "hi" }));
    }
    ann.send("KICK_USER", json!({ "clientId": id(&bob) })).await;
    assert_eq!(ann.expect("USER_KICKED").await["clientId"], id(&bob));
    assert_eq!(bob.expect_close().await, (4503, "kicked".to_owned()));
    // The main router's hook: no message if the user was not authenticated.
    assert_eq!(ann.expect("USER_LEFT").await, json!({ "name": "bob" }));
    guest(&server, 2).await.close(1000).await;
    ann.send("KICK_USER", json!({ "clientId": "nobody" })).await;
    let details = refused(&mut ann, "NOT_FOUND", "No such client").await;
    assert_eq!(details, json!({ "kicked": "nobody", "clientId": id(&ann) }));
}

#[tokio::test]
async fn unauthenticated_messages_are_refused_by_the_middleware() {
    let server = server();
    let mut client = guest(&server, 1).await;
    say(&mut client, "hi").await;
    refused(&mut client, "UNAUTHENTICATED", "Authentication required").await;
    login(&mut client, "bob").await;
    say(&mut client, "hi").await;
    client.expect("MESSAGE").await;
    client.text(json!({ "type": "LOGOUT" }).to_string()).await;
    client.expect("LOGOUT_SUCCESS").await;
    // Issues in the payload are not reported either.
    client.send("SEND_MESSAGE", json!({ "text": 1 })).await;
    refused(&mut client, "UNAUTHENTICATED", "Authentication required").await;
}

/// The destination of the log.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The log of all tests in this process.
fn log() -> &'static Lines {
    static LINES: OnceLock<Lines> = OnceLock::new();
    LINES.get_or_init(|| {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).without_time();
        tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
        lines
    })
}

#[tokio::test]
async fn the_log_has_client_type_and_duration() {
    let server = server();
    let mut client = guest(&server, 1).await;
    say(&mut client, "hi").await;
    client.expect("ERROR").await;
    login(&mut client, "bob").await;
    // Logged before the reply is sent.
    let text = String::from_utf8(log().0.lock().unwrap().clone()).unwrap();
    let about = |word: &str| -> Vec<_> {
        let words = format!("{word} client_id={}", id(&client));
        text.lines().filter(|line| line.contains(&words)).collect()
    };
    let (received, processed) = (about("received"), about("processed"));
    assert_eq!((received.len(), processed.len()), (2, 2), "{text}");
    for lines in [&received, &processed] {
        for (line, message_type) in lines.iter().zip(["SEND_MESSAGE", "LOGIN"]) {
            assert!(line.contains(message_type), "{line}");
        }
    }
    assert!(processed[0].contains("outcome=\"UNAUTHENTICATED\"") && processed[1].contains("outcome=\"OK\""));
    assert!(processed.iter().all(|line| line.contains("duration=")));
}

#[tokio::test]
async fn a_chain_of_async_middleware_around_one_handler() {
    let server = server();
    let mut client = guest(&server, 1).await;
    let refused = client.request("USER.RENAME", "1", json!({ "name": "Bobby" })).await;
    assert_eq!((&refused["type"], &refused["payload"]["code"]), (&json!("RPC_ERROR"), &json!("UNAUTHENTICATED")));
    login(&mut client, "bob").await;
    let renamed = client.request("USER.RENAME", "2", json!({ "name": "Bobby" })).await;
    assert_eq!(renamed["payload"], json!({ "name": "Bobby", "passed": ["log", "auth", "account"] }));
    // The other handler of the module has no such chain.
    client.text(json!({ "type": "USER.WHO_AM_I", "meta": { "correlationId": "3" } }).to_string()).await;
    assert_eq!(client.expect("ME").await["name"], "Bobby");
}

#[tokio::test]
async fn an_extractor_extends_the_context() {
    let server = server();
    let (mut ann, mut bob) = (guest(&server, 1).await, guest(&server, 2).await);
    let announce =
        |id: &str| json!({ "type": "ADMIN_MESSAGE", "meta": { "correlationId": id }, "payload": { "text": "Tea" } });
    login(&mut bob, "bob").await;
    bob.text(announce("b").to_string()).await;
    let error = bob.recv().await;
    assert_eq!((&error["type"], &error["meta"]["correlationId"]), (&json!("ERROR"), &json!("b")));
    let payload = &error["payload"];
    assert_eq!((&payload["code"], &payload["message"]), (&json!("PERMISSION_DENIED"), &json!("Admin access required")));
    assert_eq!(payload["details"], json!({ "role": "admin", "clientId": id(&bob) }));
    login(&mut ann, "ann").await;
    ann.text(announce("a").to_string()).await;
    for client in [&mut ann, &mut bob] {
        assert_eq!(client.expect("ADMIN_ANNOUNCEMENT").await, json!({ "text": "Tea" }));
    }
    let reply = ann.recv().await;
    assert_eq!((&reply["type"], &reply["meta"]["correlationId"]), (&json!("ADMIN_MESSAGE_SENT"), &json!("a")));
}
