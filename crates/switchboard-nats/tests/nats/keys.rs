//! Logging in by keys and credentials.

use std::fs;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use broker_servers::{Program, Server, topic};
use nkeys::KeyPair;
use switchboard_core::broker::{Broker, BrokerErrorKind, LinkEvent};
use switchboard_nats::{NatsBroker, NatsBrokerBuilder};
use tempfile::TempDir;

use crate::setup::start;

/// Starts a server with a file of settings, which is in the folder.
fn server(program: Program, settings: &str) -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nats.conf");
    fs::write(&file, settings).unwrap();
    (Server::start(program, &["-c", file.to_str().unwrap()]), folder)
}

fn builder(server: &Server) -> NatsBrokerBuilder {
    NatsBroker::builder(format!("nats://{}", server.address()))
}

async fn publishes(builder: NatsBrokerBuilder) {
    let node = start(builder).await;
    let room = topic("room");
    node.broker.subscribe(&room).await.unwrap();
    node.broker.publish(&room, "hello".into()).await.unwrap();
    node.hears(&room, "hello").await;
}

async fn is_refused(builder: NatsBrokerBuilder) {
    let error = builder.connect().await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Rejected, "{error}");
    assert!(error.to_string().contains("the key or the credentials"), "{error}");
}

#[tokio::test]
async fn a_node_logs_in_by_its_key() {
    let (known, other) = (KeyPair::new_user(), KeyPair::new_user());
    for program in [Program::Nats, Program::Nats215] {
        let settings = format!("authorization {{ users: [ {{ nkey: {} }} ] }}\n", known.public_key());
        let (server, _folder) = server(program, &settings);
        publishes(builder(&server).nkey(known.seed().unwrap())).await;
        is_refused(builder(&server).nkey(other.seed().unwrap())).await;
        is_refused(builder(&server)).await;
    }
}

/// A token that a key has signed, as the operator's tools make it.
fn token(issuer: &KeyPair, subject: &KeyPair, claims: &str) -> String {
    let header = r#"{"typ":"JWT","alg":"ed25519-nkey"}"#;
    let (issuer_key, subject) = (issuer.public_key(), subject.public_key());
    let body = format!(r#"{{"jti":"x","iat":1,"iss":"{issuer_key}","name":"n","sub":"{subject}","nats":{claims}}}"#);
    let text = format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(header), BASE64_URL_SAFE_NO_PAD.encode(body));
    let signature = issuer.sign(text.as_bytes()).unwrap();
    format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

/// An account of an operator, with a server that knows both.
struct Account(KeyPair);

impl Account {
    fn start(program: Program) -> (Self, Server, TempDir) {
        let (operator, account) = (KeyPair::new_operator(), KeyPair::new_account());
        let of_operator = token(&operator, &operator, r#"{"type":"operator","version":2}"#);
        let limits =
            r#"{"subs":-1,"data":-1,"payload":-1,"imports":-1,"exports":-1,"wildcards":true,"conn":-1,"leaf":-1}"#;
        let claims = format!(r#"{{"limits":{limits},"type":"account","version":2}}"#);
        let of_account = token(&operator, &account, &claims);
        let key = account.public_key();
        let settings =
            format!("operator: {of_operator}\nresolver: MEMORY\nresolver_preload: {{ {key}: {of_account} }}\n");
        let (server, folder) = server(program, &settings);
        (Self(account), server, folder)
    }

    /// The text of a `.creds` file for a new user.
    fn credentials(&self) -> String {
        let user = KeyPair::new_user();
        let claims = r#"{"pub":{},"sub":{},"subs":-1,"data":-1,"payload":-1,"type":"user","version":2}"#;
        format!(
            "-----BEGIN NATS USER JWT-----\n{}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
            token(&self.0, &user, claims),
            user.seed().unwrap()
        )
    }
}

#[tokio::test]
async fn a_node_logs_in_by_credentials() {
    for program in [Program::Nats, Program::Nats215] {
        let (account, server, _folder) = Account::start(program);
        publishes(builder(&server).credentials(account.credentials())).await;
        let stranger = Account(KeyPair::new_account());
        is_refused(builder(&server).credentials(stranger.credentials())).await;
        is_refused(builder(&server)).await;
    }
}

#[tokio::test]
async fn a_file_with_credentials_is_read_at_each_attempt() {
    let (account, mut server, _folder) = Account::start(Program::Nats215);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.creds");
    let error = builder(&server).credentials_file(&file).build().unwrap_err();
    assert!(error.to_string().contains("app.creds"), "{error}");
    fs::write(&file, account.credentials()).unwrap();
    let node = start(builder(&server).credentials_file(&file)).await;
    // The file is renewed with what does not fit, and then with what does.
    fs::write(&file, Account(KeyPair::new_account()).credentials()).unwrap();
    let broken = builder(&server).credentials_file(&file);
    is_refused(broken).await;
    server.kill();
    node.until("the loss is reported", |heard| heard.is_down()).await;
    fs::write(&file, account.credentials()).unwrap();
    server.start_again();
    node.until("the link is back", |heard| heard.count(|event| *event == LinkEvent::Connected) == 2).await;
}
