//! Passes bytes from one connection to another, as the link behaves.

use std::{
    io,
    net::Shutdown,
    time::{Duration, Instant},
};

use socket2::SockRef;
use tokio::{
    net::TcpStream,
    sync::{mpsc, watch},
    time::{sleep, sleep_until},
};

use super::{Behaviour, Pace};

/// What is read at once.
const CHUNK: usize = 8 * 1024;

/// How many chunks may be under way in a direction; beyond it the sender has to wait.
const UNDER_WAY: usize = 256;

/// What a slow link passes on at once.
const SLOW_CHUNK: usize = 512;

/// Some bytes, and when they may arrive.
type Chunk = (Instant, Vec<u8>);

/// Passes bytes in both directions until both have ended, or one has failed.
pub(super) async fn both(node: &TcpStream, broker: &TcpStream, behaves: &watch::Receiver<Behaviour>) {
    let up = one(node, broker, behaves.clone(), |behaviour| behaviour.up);
    let down = one(broker, node, behaves.clone(), |behaviour| behaviour.down);
    // How a connection failed does not matter: both ends see the end.
    _ = tokio::try_join!(up, down);
}

async fn one(
    from: &TcpStream,
    to: &TcpStream,
    behaves: watch::Receiver<Behaviour>,
    direction: fn(&Behaviour) -> Pace,
) -> io::Result<()> {
    let (chunks, under_way) = mpsc::channel(UNDER_WAY);
    tokio::try_join!(read(from, chunks, behaves.clone(), direction), write(to, under_way, behaves, direction))?;
    Ok(())
}

async fn read(
    from: &TcpStream,
    chunks: mpsc::Sender<Chunk>,
    behaves: watch::Receiver<Behaviour>,
    direction: fn(&Behaviour) -> Pace,
) -> io::Result<()> {
    loop {
        from.readable().await?;
        let mut bytes = vec![0; CHUNK];
        match from.try_read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(count) => bytes.truncate(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        }
        let delay = if let Pace::Delay(delay) = direction(&behaves.borrow()) { delay } else { Duration::ZERO };
        if chunks.send((Instant::now() + delay, bytes)).await.is_err() {
            return Ok(());
        }
    }
}

async fn write(
    to: &TcpStream,
    mut under_way: mpsc::Receiver<Chunk>,
    mut behaves: watch::Receiver<Behaviour>,
    direction: fn(&Behaviour) -> Pace,
) -> io::Result<()> {
    while let Some((arrives, bytes)) = under_way.recv().await {
        sleep_until(arrives.into()).await;
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let pace = direction(&*pass(&mut behaves, direction).await?);
            let count = if matches!(pace, Pace::Slow(_)) { rest.len().min(SLOW_CHUNK) } else { rest.len() };
            let (now, later) = rest.split_at(count);
            write_all(to, now).await?;
            if let Pace::Slow(rate) = pace {
                sleep(Duration::from_secs_f64(count as f64 / rate.max(1) as f64)).await;
            }
            rest = later;
        }
    }
    // The end arrives no earlier than bytes would.
    pass(&mut behaves, direction).await?;
    SockRef::from(to).shutdown(Shutdown::Write)
}

/// Waits until the link is not cut.
async fn pass(
    behaves: &mut watch::Receiver<Behaviour>,
    direction: fn(&Behaviour) -> Pace,
) -> io::Result<watch::Ref<'_, Behaviour>> {
    let passes = behaves.wait_for(|behaviour| direction(behaviour) != Pace::Cut).await;
    passes.map_err(|_| io::Error::other("the proxy has ended"))
}

async fn write_all(to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
