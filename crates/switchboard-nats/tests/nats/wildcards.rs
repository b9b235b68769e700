//! Channels beyond the number of exact subscriptions.

use std::time::{Duration, Instant};

use broker_servers::{Heard, Program, Server, topic};
use switchboard_core::broker::{Broker, Channel};
use switchboard_nats::NatsBroker;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::setup::start;

/// Asks the server how many subscriptions it has.
async fn subscriptions(server: &Server) -> usize {
    let mut stream = TcpStream::connect(("127.0.0.1", server.other_port())).await.unwrap();
    stream.write_all(b"GET /subsz HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (_, rest) = answer.split_once("\"num_subscriptions\": ").unwrap();
    rest.split(',').next().unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn many_channels_take_few_subscriptions_and_all_are_heard() {
    let mut server = Server::start(Program::Nats215, &["-m", "{other_port}"]);
    let url = format!("nats://{}", server.address());
    let of_the_server = subscriptions(&server).await;
    let node = start(NatsBroker::builder(&url).max_exact_subscriptions(100)).await;
    let channels: Vec<Channel> = (0..3000).map(|n| topic(&format!("room:{n}"))).collect();
    node.subscribe_all(&channels).await;
    let ours = subscriptions(&server).await - of_the_server;
    assert!((300..=100 + 256 + 1).contains(&ours), "100 channels, 256 partitions, and the echo: {ours}");

    server.start_again();
    node.until("all are restored", |heard| channels.iter().all(|channel| heard.is_restored(channel))).await;
    for channel in &channels {
        node.publish_when_possible(channel, "after").await;
    }
    let all_heard = |heard: &Heard| channels.iter().all(|channel| heard.messages.contains_key(channel));
    node.until("all are heard", all_heard).await;
    let once = node.heard.lock().messages.values().all(|messages| messages.len() == 1);
    assert!(once, "each message arrives once");

    for channel in &channels {
        node.broker.unsubscribe(channel).await.unwrap();
    }
    let started = Instant::now();
    while subscriptions(&server).await > of_the_server + 1 {
        assert!(started.elapsed() < Duration::from_secs(30), "only the echo stays");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
