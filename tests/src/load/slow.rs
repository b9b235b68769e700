//! Members that do not read, and their effect on the others.

use std::{io, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    client::Client,
    options::Options,
    process::{self, Peak},
    topic::Topic,
};

/// The kernel should not buffer much for members that do not read.
const SMALL_BUFFER: u32 = 4096;

/// The interval between two measurements of the server's memory.
const LOOK: Duration = Duration::from_millis(20);

/// How long a member that starts to read may wait for more before it counts as still connected.
const SILENCE: Duration = Duration::from_secs(2);

pub(super) async fn run(options: &Options) -> io::Result<Value> {
    let topic = Topic::new(options.conns - options.slow, options.size, 0);
    let slow = options.target.receive_buffer(SMALL_BUFFER).connect_all(options.slow, Topic::join).await?;
    let mut members = JoinSet::new();
    for client in options.target.connect_all(options.conns - options.slow, Topic::join).await? {
        members.spawn(Arc::clone(&topic).receive(client));
    }
    let publisher = Client::connect(&options.target).await?;
    sleep(Duration::from_millis(200)).await;
    let before = process::memory(options.pid)?;

    let publishing = tokio::spawn({
        let (topic, rate) = (Arc::clone(&topic), options.rate);
        async move {
            if let Err(error) = Arc::clone(&topic).publish_by_rate(publisher, rate).await {
                topic.tally.lock().bad(&error);
            }
        }
    });
    let mut peak = Peak::from_now_on(options.pid)?;
    let looking = async {
        while !publishing.is_finished() {
            sleep(LOOK).await;
            peak.look()?;
        }
        io::Result::Ok(peak.most())
    };
    let measuring = async {
        let result = topic.tally.measure(&[options.pid], Duration::ZERO, options.time).await;
        publishing.abort();
        result
    };
    let (peak, result) = tokio::join!(looking, measuring);
    let (peak, mut result) = (peak?, result?);
    result.insert("lost".into(), json!(topic.lost().await));
    topic.tally.errors(&mut result);
    result.insert("memory_before".into(), json!(before));
    result.insert("memory_peak_growth".into(), json!(peak.saturating_sub(before)));
    result.insert("slow".into(), json!(options.slow));
    result.insert("evicted".into(), json!(evicted(slow).await));
    members.shutdown().await;
    result.insert("memory_end".into(), json!(process::memory(options.pid)?));
    Ok(result.into())
}

/// Returns how many of the members that did not read were evicted.
async fn evicted(slow: Vec<Client>) -> usize {
    let mut reading = JoinSet::new();
    for client in slow {
        reading.spawn(was_evicted(client));
    }
    reading.join_all().await.into_iter().filter(|evicted| *evicted).count()
}

async fn was_evicted(mut client: Client) -> bool {
    loop {
        match timeout(SILENCE, client.read()).await {
            Err(_) => return false,
            Ok(Err(_)) => return true,
            Ok(Ok(())) => {}
        }
        loop {
            match client.next_text() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return true,
            }
        }
    }
}
