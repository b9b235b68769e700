//! A publisher and many members, on one node or on several; or a publisher on each of several nodes.

use std::{io, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::task::{JoinHandle, JoinSet};

use super::{client::Client, options::Options, process, topic::Topic};

pub(super) async fn run(options: &Options) -> io::Result<Value> {
    let topic = Topic::new(options.conns, options.size, options.window);
    let mut members = JoinSet::new();
    let nodes = || [&options.target].into_iter().chain(options.nodes.iter().map(|(target, _)| target));
    let count = nodes().count();
    for (place, target) in nodes().enumerate() {
        let share = options.conns / count + usize::from(place < options.conns % count);
        for client in target.connect_all(share, Topic::join).await? {
            members.spawn(Arc::clone(&topic).receive(client));
        }
    }
    let mut publishers = Vec::new();
    for target in nodes().take(if options.apart { count } else { 1 }) {
        publishers.push(Client::connect(target).await?);
    }
    let publishers = publish(Arc::clone(&topic), publishers);
    let pids: Vec<u32> = [options.pid].into_iter().chain(options.nodes.iter().map(|(_, pid)| *pid)).collect();
    let bus = bus(&topic, options);
    let (result, bus) = tokio::join!(topic.tally.measure(&pids, options.warmup, options.time), bus);
    let mut result = result?;
    if let Some(micros) = bus? {
        result.insert("bus_us_per_publish".into(), json!(micros));
    }
    topic.stop();
    // Their connections end when all has arrived: what a server has not handled by then is dropped.
    let publishers = publishers.await.ok();
    result.insert("lost".into(), json!(topic.lost().await));
    drop(publishers);
    members.shutdown().await;
    topic.tally.errors(&mut result);
    Ok(result.into())
}

/// Returns the broker's processor time for one publish, in microseconds.
async fn bus(topic: &Topic, options: &Options) -> io::Result<Option<f64>> {
    let Some(pid) = options.bus else { return Ok(None) };
    tokio::time::sleep(options.warmup).await;
    let (time, published) = (process::cpu_time(pid)?, topic.published());
    tokio::time::sleep(options.time).await;
    let time = process::cpu_time(pid)?.saturating_sub(time);
    let published = u32::try_from(topic.published() - published).unwrap_or(u32::MAX).max(1);
    Ok(Some((time.as_secs_f64() / f64::from(published)) / Duration::from_micros(1).as_secs_f64()))
}

fn publish(topic: Arc<Topic>, clients: Vec<Client>) -> JoinHandle<Option<Vec<Client>>> {
    tokio::spawn(async move {
        let published = Arc::clone(&topic).publish_by_window(clients).await;
        published.inspect_err(|error| topic.tally.lock().bad(error)).ok()
    })
}
