//! What a message costs between the hub and the broker, on the node that publishes it and on those that receive it.

use std::{hint::black_box, time::Duration};

use bytes::Bytes;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use switchboard_cluster::{BrokerCall, Cluster, ClusterConfig, Output, Publish};
use switchboard_core::broker::{Channel, Incarnation, LinkEvent, NodeId, TopicName};

const NOW: Duration = Duration::from_secs(1);
const PAYLOAD: [u8; 256] = [b'x'; 256];

fn topic(number: usize) -> TopicName {
    TopicName::new(format!("room:{number}")).expect("a legal name")
}

/// Creates a node that is subscribed to a number of topics.
fn node(id: u8, topics: usize) -> Cluster {
    let config = ClusterConfig::new().max_pending_publishes(usize::MAX).max_pending_bytes(usize::MAX);
    let mut cluster = Cluster::new(NodeId::from_bytes([id; 16]), Incarnation::from_u64(id.into()), config, NOW);
    cluster.handle_link(LinkEvent::Connected, NOW);
    for number in 0..topics {
        let _ = cluster.join(&topic(number), NOW).expect("within the limits");
    }
    while let Some(output) = cluster.poll_output() {
        if let Output::Call { operation, .. } = output {
            cluster.handle_completion(operation, Ok(()), NOW);
        }
    }
    cluster
}

/// Publishes a message, and returns what goes to the broker.
fn publish(cluster: &mut Cluster, topic: &TopicName) -> Bytes {
    let publish = Publish { message_type: "SAY", payload: &PAYLOAD, ..Publish::default() };
    cluster.publish(topic, &publish, NOW).expect("within the limits");
    let Some(Output::Call { operation, call: BrokerCall::Publish(_, message) }) = cluster.poll_output() else {
        unreachable!("a publish is a call of the broker")
    };
    cluster.handle_completion(operation, Ok(()), NOW);
    while cluster.poll_output().is_some() {}
    message
}

fn hot_path(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cluster");
    for topics in [1, 10_000] {
        let names: Vec<_> = (0..topics).map(topic).collect();
        let mut publisher = node(1, 0);
        let mut at = 0;
        group.bench_function(format!("publish, {topics} topics"), |bencher| {
            bencher.iter(|| {
                at = (at + 7) % topics;
                black_box(publish(&mut publisher, &names[at]))
            });
        });
        let mut receiver = node(2, topics);
        group.bench_function(format!("receive, {topics} topics"), |bencher| {
            let next = || {
                at = (at + 7) % topics;
                (Channel::Topic(names[at].clone()), publish(&mut publisher, &names[at]))
            };
            bencher.iter_batched(
                next,
                |(channel, message)| {
                    receiver.handle_message(&channel, message, NOW);
                    black_box(receiver.poll_output())
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, hot_path);
criterion_main!(benches);
