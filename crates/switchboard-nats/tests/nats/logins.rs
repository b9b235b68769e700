//! Wrong settings, and what is said about them.

use std::fs;

use broker_servers::{Program, Server, topic};
use switchboard_core::broker::{Broker, BrokerErrorKind};
use switchboard_nats::NatsBroker;
use tokio::net::TcpListener;

use crate::setup::start;

#[tokio::test]
async fn an_old_server_is_refused_with_the_version_that_is_needed() {
    use tokio::io::AsyncWriteExt;

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let info = r#"INFO {"server_id":"x","version":"2.8.4","proto":1,"headers":true,"max_payload":1048576}"#;
        stream.write_all(format!("{info}\r\nPONG\r\n").as_bytes()).await.unwrap();
        stream
    };
    let (error, _stream) = tokio::join!(NatsBroker::connect(url), server);
    let error = error.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Rejected);
    assert!(error.to_string().contains("NATS 2.8.4 is too old; upgrade it to 2.9 or later"), "{error}");
}

#[tokio::test]
async fn passwords_and_tokens_are_checked_and_never_repeated() {
    let server = Server::start(Program::Nats, &["--user", "ann", "--pass", "p@ss/word"]);
    let address = server.address();
    for login in ["", "ann:guess@"] {
        let error = NatsBroker::connect(format!("nats://{login}{address}")).await.unwrap_err();
        assert_eq!(error.kind(), BrokerErrorKind::Rejected, "{error}");
        assert!(error.to_string().contains("password") && !error.to_string().contains("guess"), "{error}");
    }
    let node = start(NatsBroker::builder(format!("nats://ann:p%40ss%2Fword@{address}"))).await;
    node.broker.publish(&topic("room"), "m".into()).await.unwrap();

    let server = Server::start(Program::Nats, &["--auth", "secret"]);
    let builder = NatsBroker::builder(format!("nats://{}", server.address()));
    let error = builder.clone().token("guess").connect().await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Rejected, "{error}");
    start(builder.token("secret")).await;
}

#[tokio::test]
async fn a_user_without_rights_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nats.conf");
    let rights = |name: &str, publish: &str, subscribe: &str| {
        format!("{{ user: {name}, password: secret, permissions: {{ publish: {publish}, subscribe: {subscribe} }} }}\n")
    };
    let users = [
        rights("ann", r#""sb.>""#, r#""sb.>""#),
        rights("deaf", r#""sb.>""#, r#"{ allow: "sb.>", deny: "sb.*.t:room" }"#),
        rights("lost", r#""other.>""#, r#""other.>""#),
    ];
    fs::write(&file, format!("authorization {{ users: [\n{}] }}\n", users.concat())).unwrap();
    let server = Server::start(Program::Nats, &["-c", file.to_str().unwrap()]);
    let builder = |user: &str| NatsBroker::builder(format!("nats://{user}:secret@{}", server.address()));
    let room = topic("room");
    let ann = start(builder("ann")).await;
    ann.broker.subscribe(&room).await.unwrap();
    ann.broker.publish(&room, "hello".into()).await.unwrap();
    ann.hears(&room, "hello").await;
    let error = builder("lost").connect().await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Rejected, "{error}");
    assert!(error.to_string().contains("`sb.>`"), "{error}");
    let deaf = start(builder("deaf")).await;
    let error = deaf.broker.subscribe(&room).await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Rejected, "{error}");
    deaf.broker.subscribe(&topic("other")).await.unwrap();
}

#[tokio::test]
async fn prefixes_keep_applications_apart() {
    let server = Server::start(Program::Nats, &[]);
    let builder = NatsBroker::builder(format!("nats://{}", server.address()));
    let one = start(builder.clone().prefix("one")).await;
    let two = start(builder.prefix("two")).await;
    let room = topic("room");
    one.broker.subscribe(&room).await.unwrap();
    two.broker.publish(&room, "of two".into()).await.unwrap();
    one.broker.publish(&room, "of one".into()).await.unwrap();
    one.hears(&room, "of one").await;
    assert_eq!(one.heard.lock().messages[&room], ["of one"]);
}
