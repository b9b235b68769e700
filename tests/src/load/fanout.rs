//! A publisher and many members.

use std::{io, sync::Arc};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{client::Client, options::Options, topic::Topic};

pub(super) async fn run(options: &Options) -> io::Result<Value> {
    let topic = Topic::new(options.conns, options.size, options.window);
    let mut members = JoinSet::new();
    for client in options.target.connect_all(options.conns, Topic::join).await? {
        members.spawn(Arc::clone(&topic).receive(client));
    }
    let publisher = Client::connect(&options.target).await?;
    let publisher = publish(Arc::clone(&topic), publisher);
    let mut result = topic.tally.measure(options.pid, options.warmup, options.time).await?;
    publisher.abort();
    // Messages that were half queued must not count as lost.
    _ = publisher.await;
    result.insert("lost".into(), json!(topic.lost().await));
    members.shutdown().await;
    topic.tally.errors(&mut result);
    Ok(result.into())
}

fn publish(topic: Arc<Topic>, client: Client) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = Arc::clone(&topic).publish_by_window(client).await {
            topic.tally.lock().bad(&error);
        }
    })
}
