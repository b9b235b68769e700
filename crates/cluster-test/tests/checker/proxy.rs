//! The proxy on a link, and its faults.

use std::{
    io,
    time::{Duration, Instant},
};

use cluster_test::proxy::{Behaviour, Pace, Proxy};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// A server that sends back what it gets.
async fn echo() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    port
}

async fn connected() -> (Proxy, TcpStream) {
    let proxy = Proxy::start(echo().await).await.unwrap();
    let stream = TcpStream::connect(proxy.address()).await.unwrap();
    (proxy, stream)
}

async fn reply(stream: &mut TcpStream) -> io::Result<u8> {
    timeout(Duration::from_secs(10), stream.read_u8()).await.unwrap()
}

async fn is_silent(stream: &mut TcpStream) -> bool {
    timeout(Duration::from_millis(150), stream.read_u8()).await.is_err()
}

#[tokio::test]
async fn bytes_and_the_end_are_passed_on() {
    let (_proxy, mut stream) = connected().await;
    stream.write_u8(7).await.unwrap();
    assert_eq!(reply(&mut stream).await.unwrap(), 7);
    stream.shutdown().await.unwrap();
    assert_eq!(reply(&mut stream).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn over_a_cut_link_nothing_arrives_until_it_is_mended() {
    for cut in [
        Behaviour { up: Pace::Cut, down: Pace::Free },
        Behaviour { up: Pace::Free, down: Pace::Cut },
        Behaviour::both(Pace::Cut),
    ] {
        let (proxy, mut stream) = connected().await;
        stream.write_u8(1).await.unwrap();
        assert_eq!(reply(&mut stream).await.unwrap(), 1);
        proxy.set(cut);
        stream.write_u8(2).await.unwrap();
        let mut second = TcpStream::connect(proxy.address()).await.unwrap();
        second.write_u8(3).await.unwrap();
        assert!(is_silent(&mut stream).await && is_silent(&mut second).await, "{cut:?}");
        proxy.set(Behaviour::default());
        assert_eq!(reply(&mut stream).await.unwrap(), 2);
        assert_eq!(reply(&mut second).await.unwrap(), 3);
    }
}

#[tokio::test]
async fn delays_add_up_over_both_directions() {
    let (proxy, mut stream) = connected().await;
    proxy.set(Behaviour::both(Pace::Delay(Duration::from_millis(60))));
    let began = Instant::now();
    for byte in 0..10 {
        stream.write_u8(byte).await.unwrap();
    }
    for byte in 0..10 {
        assert_eq!(reply(&mut stream).await.unwrap(), byte);
    }
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(120), "{took:?}");
}

#[tokio::test]
async fn a_slow_link_takes_its_time() {
    let (proxy, mut stream) = connected().await;
    proxy.set(Behaviour { up: Pace::Slow(10_000), down: Pace::Free });
    let began = Instant::now();
    stream.write_all(&[0; 2000]).await.unwrap();
    let mut bytes = [0; 2000];
    timeout(Duration::from_secs(10), stream.read_exact(&mut bytes)).await.unwrap().unwrap();
    // The last of four pieces is passed on after the pauses of three.
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(150), "{took:?}");
}

#[tokio::test]
async fn a_reset_ends_connections_and_lets_others_be_made() {
    let (proxy, mut stream) = connected().await;
    stream.write_u8(1).await.unwrap();
    assert_eq!(reply(&mut stream).await.unwrap(), 1);
    proxy.reset();
    assert_eq!(reply(&mut stream).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    let mut next = TcpStream::connect(proxy.address()).await.unwrap();
    next.write_u8(2).await.unwrap();
    assert_eq!(reply(&mut next).await.unwrap(), 2);
}

#[tokio::test]
async fn without_a_server_the_connection_ends() {
    let free = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
    let proxy = Proxy::start(free).await.unwrap();
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(reply(&mut stream).await.is_err());
}
