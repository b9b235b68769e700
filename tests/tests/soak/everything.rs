//! All that a hub keeps of connections, users and topics, by clients that use all of it and go at any moment.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Query, State},
    http::StatusCode,
};
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::json;
use switchboard::{
    Batch, BatchOptions, Conn, ConnRef, Hub, Identity, Progress, RateLimitLayer, RouteOptions, SlowConsumer, Throttle,
    TopicOptions, WsError, WsRouter, ws_message, ws_rpc,
};
use switchboard_tests::{
    client::{Client, Server},
    serve::ws_route,
};
use tokio::time::{Instant, sleep, timeout};

use super::random::Random;

/// How many users there are: each has several connections at the same time.
const USERS: u64 = 40;

const TOPICS: u64 = 16;

/// What a client does before it goes.
const STEPS: u64 = 20;

/// The data of a connection, which counts how many there are.
struct Session {
    alive: Arc<AtomicUsize>,
    name: String,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, SeqCst);
    }
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

#[derive(Clone)]
struct App {
    alive: Arc<AtomicUsize>,
    throttle: Arc<Throttle<Note>>,
    batch: Arc<Batch<u32, Notes>>,
}

#[ws_message("NOTE")]
#[derive(Clone)]
struct Note {
    text: String,
}

#[ws_message("NOTES")]
struct Notes {
    numbers: Vec<u32>,
}

#[ws_message("SET_TOPICS")]
struct SetTopics {
    topics: Vec<String>,
}

#[ws_message("FILTERED")]
struct Filtered {
    topic: String,
}

#[ws_message("LEAVE")]
struct Leave {
    topics: Vec<String>,
}

#[ws_message("SAY")]
struct Say {
    topic: String,
    text: String,
}

#[ws_message("TELL")]
struct Tell {
    user: String,
}

#[ws_message("PACED")]
struct Paced {
    n: u32,
}

#[ws_message("DONE")]
struct Done {}

/// Takes long, tells of it, and asks its client something that this one never answers.
#[ws_rpc("WORK", response = Done, progress = Note)]
struct Work {
    ms: u64,
}

#[ws_rpc("QUESTION", response = Done)]
struct Question {}

async fn login(State(app): State<App>, Query(login): Query<Login>) -> Result<Session, StatusCode> {
    app.alive.fetch_add(1, SeqCst);
    Ok(Session { alive: app.alive, name: login.name })
}

async fn open(conn: Conn<Session>) -> Result<(), WsError> {
    conn.attributes().insert(conn.data().name.clone()).map_err(WsError::from)?;
    conn.subscribe(format!("user.{}", conn.data().name)).await?;
    Ok(())
}

async fn set_topics(conn: Conn<Session>, set: SetTopics) -> Result<(), WsError> {
    conn.set_topics(&set.topics).await?;
    Ok(())
}

async fn filtered(conn: Conn<Session>, filtered: Filtered) -> Result<(), WsError> {
    let not_own = |member: &ConnRef, note: &Note| member.user().is_none_or(|user| *user != *note.text);
    conn.subscribe(&filtered.topic).filter(not_own).await?;
    Ok(())
}

async fn leave(conn: Conn<Session>, leave: Leave) -> Result<(), WsError> {
    conn.unsubscribe_many(&leave.topics).await?;
    Ok(())
}

async fn say(conn: Conn<Session>, say: Say) -> Result<(), WsError> {
    conn.publish(&say.topic, Note { text: say.text }).await?;
    Ok(())
}

async fn tell(conn: Conn<Session>, tell: Tell) -> Result<(), WsError> {
    conn.hub().user(&tell.user).send(Note { text: "for you".into() }).await?;
    Ok(())
}

async fn paced(State(app): State<App>, paced: Paced) -> Result<(), WsError> {
    app.throttle.publish(Note { text: "now".into() })?;
    app.batch.push(paced.n)?;
    Ok(())
}

async fn work(conn: Conn<Session>, mut progress: Progress<Note>, work: Work) -> Result<Done, WsError> {
    progress.send(Note { text: "at it".into() }).await?;
    // Not answered: what is under test is that nobody waits for it in vain.
    let _ = conn.call(Question {}).timeout(Duration::from_millis(work.ms)).await;
    Ok(Done {})
}

fn start(hub: &Hub, app: App) -> Server {
    let per_user = RateLimitLayer::per_user(100_000, Duration::from_secs(60));
    let ws = WsRouter::new()
        .hub(hub.clone())
        .authenticate(login)
        .identify(|session: &Session| Some(Identity::new(session.name.as_str()).expires_in(Duration::from_secs(600))))
        .on_open(open)
        .on(set_topics)
        .on(filtered)
        .on(leave)
        .on(say)
        .on(tell)
        .on(paced)
        .on_with(work, RouteOptions::new().concurrent(8).run_to_completion())
        .layer(per_user);
    Server::start(Router::new().route("/ws", ws_route(ws)).with_state(app))
}

fn hub() -> Hub {
    // The first that fits counts.
    Hub::builder()
        .topic("soak.drops.*", TopicOptions::new().slow_consumer(SlowConsumer::DropOldest))
        .topic("soak.latest.*", TopicOptions::new().conflate_by(|note: &Note| note.text.len()))
        .topic(
            "soak.*",
            TopicOptions::new().max_per_connection(8).authorize_subscribe(async |_, _| Ok::<_, WsError>(())),
        )
        .max_queued_bytes(64 << 20)
        .build()
}

fn topic(random: &mut Random) -> String {
    let n = random.below(TOPICS);
    format!("soak.{}{n}", ["", "drops.", "latest."][(n % 3) as usize])
}

/// Uses all that there is, and goes without a word.
async fn use_all(server: &Server, seed: u64) {
    let mut random = Random::new(seed);
    let name = format!("u{}", random.below(USERS));
    let mut client = server.connect(&format!("/ws?name={name}")).await;
    for n in 0..STEPS {
        let id = n.to_string();
        match random.below(9) {
            0 => {
                let topics: Vec<_> = (0..random.below(5)).map(|_| topic(&mut random)).collect();
                client.send("SET_TOPICS", json!({ "topics": topics })).await;
            }
            1 => client.send("FILTERED", json!({ "topic": topic(&mut random) })).await,
            2 => client.send("LEAVE", json!({ "topics": [topic(&mut random), topic(&mut random)] })).await,
            3 | 4 => client.send("SAY", json!({ "topic": topic(&mut random), "text": name })).await,
            5 => client.send("TELL", json!({ "user": format!("u{}", random.below(USERS)) })).await,
            6 => client.send("PACED", json!({ "n": n })).await,
            7 => {
                let meta = json!({ "correlationId": id, "idempotencyKey": random.below(50).to_string() });
                client.text(&json!({ "type": "WORK", "meta": meta, "payload": { "ms": 100 } }).to_string()).await;
            }
            _ => {
                let ms = 10 * random.below(60);
                client.send_request("WORK", &id, json!({ "ms": ms })).await;
                if n % 2 == 0 {
                    client.text(&json!({ "type": "$ws:abort", "meta": { "correlationId": id } }).to_string()).await;
                }
            }
        }
        read(&mut client, Duration::from_millis(random.below(20))).await;
    }
}

/// Takes what comes for some time.
async fn read(client: &mut Client, time: Duration) {
    let _ = timeout(time, async { while client.ws.next().await.is_some_and(|frame| frame.is_ok()) {} }).await;
}

#[tokio::test]
async fn everything_that_a_hub_keeps_of_connections_is_gone_with_them() {
    let connections = super::size("SWITCHBOARD_SOAK_CONNECTIONS", 500) / 5;
    let hub = hub();
    let app = App {
        alive: Arc::default(),
        throttle: Arc::new(hub.topic("soak.1").throttle(Duration::from_millis(2))),
        batch: Arc::new(hub.topic("soak.2").batch(BatchOptions::new().max_items(8), |numbers| Notes { numbers })),
    };
    let alive = Arc::clone(&app.alive);
    let server = Arc::new(start(&hub, app));
    for round in 0..3u64 {
        let tasks = (0..connections as u64).map(|n| {
            let server = Arc::clone(&server);
            tokio::spawn(async move { use_all(&server, round << 32 | n).await })
        });
        let tasks: Vec<_> = tasks.collect();
        for task in tasks {
            task.await.expect("a client that does not panic");
        }
        let begin = Instant::now();
        loop {
            let stats = hub.stats();
            let left = [
                alive.load(SeqCst),
                stats.connections,
                stats.users,
                stats.subscriptions,
                stats.topics,
                stats.queued_bytes,
                stats.pending_upgrades,
                stats.running_handlers,
                stats.detached_handlers,
                hub.local_users().len(),
                hub.local_connections().count(),
                hub.topic("soak.1").local_members().count(),
            ];
            if left == [0; 12] {
                break;
            }
            assert!(begin.elapsed() < super::SETTLES, "left: {left:?}, {stats:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }
}
