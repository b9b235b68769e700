//! Several nodes in one test.

use std::time::Duration;

use switchboard::{
    Conn, Hub, WsError, WsRouter,
    cluster::{ClusterConfig, Health, MemoryBus},
    test::{TestApp, TestCluster},
    ws_message,
};

#[ws_message("SAY")]
struct Say {
    text: String,
}

#[ws_message("SAID")]
struct Said {
    text: String,
}

#[ws_message("ENTER")]
struct Enter {
    user: String,
}

#[ws_message("ENTERED")]
struct Entered {}

async fn say(conn: Conn, say: Say) -> Result<(), WsError> {
    conn.publish("lobby", Said { text: say.text }).await?;
    Ok(())
}

async fn enter(conn: Conn, enter: Enter) -> Result<Entered, WsError> {
    conn.identify(enter.user)?;
    Ok(Entered {})
}

fn app(hub: Hub) -> TestApp {
    let join = async |conn: Conn| conn.subscribe("lobby").await.map(drop);
    TestApp::new(WsRouter::new().hub(hub).on_open(join).on(say).on(enter))
}

fn text(text: &str) -> Say {
    Say { text: text.to_owned() }
}

#[tokio::test(start_paused = true)]
async fn nodes_share_topics_and_each_has_its_own_connections() {
    let [one, two, three] = TestCluster::new(app).start().await;
    let (mut ann, mut bob) = (one.connect().await.unwrap(), two.connect().await.unwrap());
    ann.send(text("hi")).await;
    assert_eq!((ann.expect::<Said>().await.text, bob.expect::<Said>().await.text), ("hi".into(), "hi".into()));
    let counts = [&one, &two, &three].map(|node| node.hub().stats().connections);
    assert_eq!(counts, [1, 1, 0]);
    assert_eq!(three.app().hub(), *three.hub());
    // Published through the hub of the first node.
    assert_eq!((one.app().captured().len(), two.app().captured().len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_has_settled_knows_all_users() {
    let cluster = TestCluster::new(app);
    let [one, two] = cluster.start().await;
    let mut ann = one.connect().await.unwrap();
    ann.send(Enter { user: "ann".into() }).await;
    ann.expect::<Entered>().await;
    cluster.settle().await;
    assert!(two.hub().user("ann").is_online().await);
    drop(ann);
    one.app().settle().await;
    cluster.settle().await;
    assert!(!two.hub().user("ann").is_online().await);
}

#[tokio::test(start_paused = true)]
async fn nodes_can_join_later_lose_their_link_and_crash() {
    let cluster = TestCluster::new(app).bus(MemoryBus::new());
    let [one] = cluster.start().await;
    let [two] = cluster.start().await;
    let mut bob = two.connect().await.unwrap();
    one.broker().cut("pulled the plug");
    assert_eq!(one.hub().health(), Some(Health::Disconnected));
    one.broker().mend();
    cluster.settle().await;
    one.connect().await.unwrap().send(text("back")).await;
    assert_eq!(bob.expect::<Said>().await.text, "back");
    two.crash();
    let stats = || one.hub().cluster_stats().unwrap();
    assert_eq!(stats().nodes, 1, "it is not silent for long enough");
    // The other node does not wait for one that is gone.
    cluster.settle().await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(stats().nodes, 0);
}

#[tokio::test(start_paused = true)]
async fn hubs_are_built_as_the_test_says() {
    let cluster = TestCluster::new(app)
        .hub(|builder| builder.cluster(ClusterConfig::new().max_pending_publishes(1)).max_connections_per_user(1));
    let [one] = cluster.start().await;
    let mut ann = one.connect().await.unwrap();
    ann.send(Enter { user: "ann".into() }).await;
    ann.expect::<Entered>().await;
    let mut again = one.connect().await.unwrap();
    again.send(Enter { user: "ann".into() }).await;
    again.expect_error("RESOURCE_EXHAUSTED").await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "waited 2s, but node 0 has no link to the others")]
async fn a_cluster_with_a_cut_link_does_not_settle() {
    let cluster = TestCluster::new(app).patience(Duration::from_secs(2));
    let [one, _two] = cluster.start().await;
    one.broker().cut("pulled the plug");
    cluster.settle().await;
}
