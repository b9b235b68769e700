//! Wrong settings, and what is said about them.

use std::time::Duration;

use broker_servers::{Program, RedisCluster, Server, topic};
use switchboard_core::broker::{Broker, BrokerError, BrokerErrorKind};
use switchboard_redis::RedisBroker;
use tokio::{io::AsyncWriteExt, net::TcpListener};

use crate::setup::start;

async fn refusal(url: String) -> BrokerError {
    RedisBroker::connect(url).await.unwrap_err()
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_refused() {
    for answer in
        ["HTTP/1.1 400 Bad Request\r\n\r\n", "+OK\r\n", "-ERR unknown command 'HELLO'\r\n", "*999999999\r\n", ""]
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let server = async {
            // Two connections, which share one fate.
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            std::future::pending::<()>().await;
        };
        let builder = RedisBroker::builder(url).connect_timeout(Duration::from_millis(500));
        let error = tokio::select! {
            result = builder.connect() => result.unwrap_err(),
            () = server => unreachable!("it waits for ever"),
        };
        assert!(error.to_string().contains("127.0.0.1"), "{answer:?}: {error}");
        assert_eq!(error.to_string().contains("Redis 6.2 or later"), answer.contains("HELLO"), "{answer:?}: {error}");
    }
}

#[tokio::test]
async fn passwords_are_checked_and_never_repeated() {
    let server = Server::start(Program::Redis, &["--requirepass", "secret"]);
    let address = server.address();
    let missing = refusal(format!("redis://{address}")).await;
    let wrong = refusal(format!("redis://:guess@{address}")).await;
    for error in [missing, wrong] {
        assert_eq!(error.kind(), BrokerErrorKind::Rejected, "{error}");
        assert!(error.to_string().contains("password") && !error.to_string().contains("guess"), "{error}");
    }
    let node = start(RedisBroker::builder(format!("redis://:secret@{address}"))).await;
    node.broker.publish(&topic("room"), "m".into()).await.unwrap();
}

#[tokio::test]
async fn a_user_with_the_documented_rights_can_do_everything_and_another_is_refused() {
    let server = Server::start(Program::Redis, &[]);
    let rights = "+hello +ping +client|setname +role +publish +subscribe +unsubscribe";
    let set_user = |name: &str, channels: &[&str], rights: &str| {
        let words = [&["ACL", "SETUSER", name, "on", ">secret", "resetchannels"], channels, &["-@all"]].concat();
        server.ask(&[words, rights.split(' ').collect()].concat());
    };
    set_user("ann", &["&sb:*"], rights);
    set_user("deaf", &["&sb:*"], &rights.replace("+subscribe ", ""));
    set_user("lost", &["&other:*"], rights);
    let builder = |user: &str| RedisBroker::builder(format!("redis://{user}:secret@{}", server.address()));
    let room = topic("room");
    let ann = start(builder("ann")).await;
    ann.broker.subscribe(&room).await.unwrap();
    ann.broker.publish(&room, "hello".into()).await.unwrap();
    ann.hears(&room, "hello").await;
    ann.broker.unsubscribe(&room).await.unwrap();
    for user in ["deaf", "lost"] {
        let node = start(builder(user)).await;
        let error = node.broker.subscribe(&room).await.unwrap_err();
        assert_eq!(error.kind(), BrokerErrorKind::Rejected);
        assert!(error.to_string().contains("NOPERM"), "{error}");
    }
    let node = start(builder("lost")).await;
    let error = node.broker.publish(&room, "m".into()).await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Rejected, "{error}");
}

#[tokio::test]
async fn a_user_with_the_documented_rights_can_use_a_cluster() {
    let cluster = RedisCluster::start();
    let rights = "+hello +ping +client|setname +role +spublish +ssubscribe +sunsubscribe +cluster|slots +cluster|info";
    for master in &cluster.masters {
        let words = ["ACL", "SETUSER", "ann", "on", ">secret", "resetchannels", "&sb:*", "-@all"];
        master.ask(&words.into_iter().chain(rights.split(' ')).collect::<Vec<_>>());
    }
    let url = format!("redis://ann:secret@{}", cluster.masters[0].address());
    let node = start(RedisBroker::builder(url).cluster()).await;
    for name in ["a", "b", "c", "d"] {
        let room = topic(name);
        node.broker.subscribe(&room).await.unwrap();
        node.broker.publish(&room, "hello".into()).await.unwrap();
        node.hears(&room, "hello").await;
        node.broker.unsubscribe(&room).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_of_another_kind_is_refused_with_the_fix() {
    let cluster = RedisCluster::start();
    let error = refusal(format!("redis://{}", cluster.masters[0].address())).await;
    assert!(error.to_string().contains(".cluster()"), "{error}");
    let server = Server::start(Program::Redis, &[]);
    let builder = RedisBroker::builder(format!("redis://{}", server.address()));
    let error = builder.clone().cluster().connect().await.unwrap_err();
    assert!(error.to_string().contains("leave out `.cluster()`"), "{error}");
    let error = builder.sentinel_master("mymaster").connect().await.unwrap_err();
    assert!(error.to_string().contains("not a Sentinel"), "{error}");
    let replica = Server::start(Program::Redis, &["--replicaof", "127.0.0.1", &server.port().to_string()]);
    let error = refusal(format!("redis://{}", replica.address())).await;
    assert!(error.to_string().contains("is a replica"), "{error}");
}

#[tokio::test]
async fn prefixes_keep_applications_apart() {
    let server = Server::start(Program::Redis, &[]);
    let builder = RedisBroker::builder(format!("redis://{}", server.address()));
    let one = start(builder.clone().prefix("one")).await;
    let two = start(builder.prefix("two")).await;
    let room = topic("room");
    one.broker.subscribe(&room).await.unwrap();
    two.broker.publish(&room, "of two".into()).await.unwrap();
    one.broker.publish(&room, "of one".into()).await.unwrap();
    one.hears(&room, "of one").await;
    assert_eq!(one.heard.lock().messages[&room], ["of one"]);
}
