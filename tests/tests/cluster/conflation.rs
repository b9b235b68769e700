//! Conflation keys on the bus.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use switchboard::TopicOptions;

use crate::node::{Said, nodes_with, said};

#[tokio::test]
async fn receivers_take_the_conflation_key_from_the_bus() {
    // How often each node has computed a key.
    let computed: Mutex<Vec<Arc<AtomicUsize>>> = Mutex::default();
    let [a, b] = nodes_with(|builder| {
        let count = Arc::new(AtomicUsize::new(0));
        computed.lock().unwrap().push(Arc::clone(&count));
        let key = move |said: &Said| {
            count.fetch_add(1, SeqCst);
            said.n % 2
        };
        builder.topic("score:*", TopicOptions::new().conflate_by(key))
    })
    .await;
    let mut member = b.member("score:1").await;
    for n in 0..4 {
        a.hub.publish("score:1", Said { n }).await.unwrap();
    }
    for n in 0..4 {
        assert_eq!(said(&mut member).await, n);
    }
    let computed: Vec<usize> = computed.lock().unwrap().iter().map(|count| count.load(SeqCst)).collect();
    assert_eq!(computed, [4, 0]);
}
