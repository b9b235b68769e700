//! The attackers.

use std::{net::SocketAddr, time::Duration};

use futures_util::{StreamExt as _, future::BoxFuture};
use serde_json::json;
use tokio::{
    io::AsyncReadExt as _,
    net::TcpStream,
    time::{Instant as Time, sleep, sleep_until, timeout_at},
};
use tokio_tungstenite::{client_async, tungstenite::Message};

use crate::client::{Client, masked};

/// Attacks until a time, and returns a description of the result.
pub(super) type Attack = fn(SocketAddr, std::time::Instant) -> BoxFuture<'static, String>;

pub(super) fn attack(name: &str) -> Option<Attack> {
    Some(match name {
        "a1" => |address, until| Box::pin(two(refused_payloads, address, until)),
        "a2" => |address, until| Box::pin(pipelined_handlers(address, until)),
        "a3" => |address, until| Box::pin(many_topics(address, until)),
        "a7" => |address, until| Box::pin(two(new_keys, address, until)),
        "a8" => |address, until| Box::pin(two(heartbeats, address, until)),
        "a10" => |address, until| Box::pin(asks_faster_than_it_reads(address, until)),
        _ => return None,
    })
}

pub(super) async fn connect(address: SocketAddr) -> Client {
    let stream = TcpStream::connect(address).await.expect("a server");
    stream.set_nodelay(true).expect("an open socket");
    let (ws, response) = client_async(format!("ws://{address}/ws"), stream).await.expect("an upgrade");
    Client { ws, headers: response.headers().clone() }
}

async fn two<F: Future<Output = String>>(
    one: fn(SocketAddr, std::time::Instant) -> F,
    address: SocketAddr,
    until: std::time::Instant,
) -> String {
    tokio::join!(one(address, until), one(address, until)).0
}

fn request(message_type: &str, id: usize, payload: &serde_json::Value) -> Vec<u8> {
    frame(&json!({ "type": message_type, "meta": { "correlationId": id.to_string() }, "payload": payload }).to_string())
}

/// A text frame of any length.
fn frame(text: &str) -> Vec<u8> {
    if text.len() < 65_536 {
        return masked(0x81, text.as_bytes());
    }
    let mut frame = vec![0x81, 0x80 | 127];
    frame.extend_from_slice(&(text.len() as u64).to_be_bytes());
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(text.as_bytes());
    frame
}

async fn refused_payloads(address: SocketAddr, until: std::time::Instant) -> String {
    let mut client = connect(address).await;
    let details = json!({ "x".repeat(20_000): vec![1; 21_900] });
    let frame = request("FAIL", 1, &json!({ "details": details, "unknown": 1 }));
    let mut count = 0;
    while std::time::Instant::now() < until {
        client.raw(&frame).await;
        client.recv().await;
        count += 1;
        sleep(Duration::from_millis(50)).await;
    }
    format!("{count} payloads refused for each attacker")
}

async fn pipelined_handlers(address: SocketAddr, until: std::time::Instant) -> String {
    let mut client = connect(address).await;
    let frames: Vec<u8> = (0..256).flat_map(|id| request("BURN", id, &json!({ "ms": 5 }))).collect();
    let begin = std::time::Instant::now();
    client.raw(&frames).await;
    let first = timeout_at(Time::now() + Duration::from_secs(60), client.recv()).await;
    let took = begin.elapsed();
    let mut count = usize::from(first.is_ok());
    while count < 256 && std::time::Instant::now() < until {
        client.recv().await;
        count += 1;
    }
    format!("its own first reply after {took:.1?}, {count} in all")
}

async fn many_topics(address: SocketAddr, until: std::time::Instant) -> String {
    let mut client = connect(address).await;
    let topics = |round: usize| (0..2000).map(|n| format!("t:{round}:{n}")).collect::<Vec<_>>();
    let mut count = 0;
    while std::time::Instant::now() < until {
        client.raw(&request("TOPICS", count, &json!({ "topics": topics(count) }))).await;
        let answer = client.ws.next().await;
        if !matches!(answer, Some(Ok(Message::Text(_)))) {
            break;
        }
        count += 1;
    }
    format!("{count} sets of topics")
}

async fn new_keys(address: SocketAddr, until: std::time::Instant) -> String {
    let mut client = connect(address).await;
    let mut count = 0;
    while std::time::Instant::now() < until {
        let frames: Vec<u8> = (0..32)
            .flat_map(|n| {
                let id = (count + n).to_string();
                let meta = json!({ "correlationId": id, "idempotencyKey": id });
                frame(&json!({ "type": "NOW", "meta": meta, "payload": {} }).to_string())
            })
            .collect();
        client.raw(&frames).await;
        for _ in 0..32 {
            client.recv().await;
        }
        count += 32;
    }
    format!("{count} keys for each attacker")
}

async fn heartbeats(address: SocketAddr, until: std::time::Instant) -> String {
    let frames = frame(r#"{"type":"__heartbeat"}"#).repeat(1000);
    let (mut closed, mut last) = (0, None);
    while std::time::Instant::now() < until {
        let client = connect(address).await;
        let (mut read, mut write) = client.ws.into_inner().into_split();
        let reads = async {
            let mut bytes = vec![0; 64 * 1024];
            let mut tail = Vec::new();
            while let Ok(n @ 1..) = read.read(&mut bytes).await {
                tail = bytes[..n].to_vec();
            }
            tail
        };
        let writes = async {
            while std::time::Instant::now() < until
                && tokio::io::AsyncWriteExt::write_all(&mut write, &frames).await.is_ok()
            {
                tokio::task::yield_now().await;
            }
        };
        let tail = tokio::select! {
            tail = reads => tail,
            () = async { writes.await; sleep_until(until.into()).await } => break,
        };
        closed += 1;
        // Code and reason of the close frame, which comes last.
        last = tail
            .windows(2)
            .rposition(|pair| pair[0] == 0x88)
            .map(|at| tail.get(at + 2..at + 4).map_or(0, |code| u16::from_be_bytes([code[0], code[1]])));
    }
    format!("closed {closed} times for each attacker, last with {last:?}")
}

async fn asks_faster_than_it_reads(address: SocketAddr, until: std::time::Instant) -> String {
    let (mut read, mut write) = connect(address).await.ws.into_inner().into_split();
    let frames: Vec<u8> = (0..256).flat_map(|id| request("GET", id, &json!({ "bytes": 60_000 }))).collect();
    let writes = async {
        while tokio::io::AsyncWriteExt::write_all(&mut write, &frames).await.is_ok() {}
        std::future::pending::<()>().await;
    };
    let mut total = 0;
    let mut bytes = vec![0; 64 * 1024];
    let reads = async {
        while let Ok(n @ 1..) = read.read(&mut bytes).await {
            total += n;
            sleep(Duration::from_millis(5)).await;
        }
    };
    let ended = tokio::select! {
        () = writes => false,
        () = reads => true,
        () = sleep_until(until.into()) => false,
    };
    format!("{} read, {}", total, if ended { "then closed" } else { "not closed" })
}
