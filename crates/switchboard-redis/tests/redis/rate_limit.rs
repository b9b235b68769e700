//! Limits that nodes share.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant, SystemTime},
};

use broker_servers::{PATIENCE, Program, RedisCluster, RedisSentinel, Server};
use switchboard_core::rate_limit::{RateLimitBucket, RateLimitOutcome, RateLimitStore, RateLimitStoreError};
use switchboard_redis::{RedisBroker, RedisBrokerBuilder, RedisRateLimit, RedisRateLimitBuilder};

const ONE: NonZeroU32 = NonZeroU32::MIN;
const LONG: Duration = Duration::from_secs(600);

fn number(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

/// Patient, because a machine may be busy with other tests.
fn patient(redis: RedisBrokerBuilder) -> RedisRateLimitBuilder {
    redis.rate_limit().check_timeout(Duration::from_secs(10))
}

pub(crate) fn builder(server: &Server) -> RedisRateLimitBuilder {
    patient(RedisBroker::builder(format!("redis://{}", server.address())))
}

/// The limits of three nodes.
async fn nodes(builder: &RedisRateLimitBuilder) -> [RedisRateLimit; 3] {
    let connect = || async { builder.clone().connect().await.unwrap() };
    [connect().await, connect().await, connect().await]
}

async fn take(limits: &RedisRateLimit, key: &str, max: u32, window: Duration) -> Result<bool, RateLimitStoreError> {
    let taken = limits.take(RateLimitBucket::new(key, number(max), window), ONE).await;
    taken.map(|outcome| outcome == RateLimitOutcome::Allowed)
}

/// Takes as soon as the server answers again.
async fn take_when_possible(limits: &RedisRateLimit, key: &str) {
    let started = Instant::now();
    while let Err(error) = take(limits, key, 1000, LONG).await {
        assert!(started.elapsed() < PATIENCE, "{error}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Tries on all nodes again and again, also when denied, and checks that exactly the rate is allowed: a burst, and then one
/// for each period.
async fn the_rate_holds(nodes: &[RedisRateLimit; 3], key: &str, pause: Duration) {
    // A full bucket loses what flows in. So it takes longer to fill than a busy machine stops a test for.
    const MAX: u32 = 40;
    const PERIOD: Duration = Duration::from_millis(50);
    // The servers are on this machine. How old the time may be that one has noted.
    const SLACK: Duration = Duration::from_millis(5);
    let take = async |node: usize| take(&nodes[node % 3], key, MAX, PERIOD * MAX).await.unwrap();
    let periods = |time: Duration| u32::try_from(time.as_micros() / PERIOD.as_micros()).unwrap();
    let begun = SystemTime::now();
    let mut burst = 0;
    while take(burst as usize).await {
        burst += 1;
    }
    let emptied = SystemTime::now();
    assert!(burst >= MAX, "a burst of {burst}");
    let (mut allowed, mut denied) = (0, 0);
    while emptied.elapsed().unwrap() < PERIOD * 30 || denied < 10 {
        if take(denied).await {
            allowed += 1
        } else {
            denied += 1
        }
        tokio::time::sleep(pause).await;
    }
    let almost = SystemTime::now();
    while take(0).await {
        allowed += 1;
    }
    // From one denial to another, at both of which there was less than one token.
    let least = periods(almost.duration_since(emptied).unwrap().saturating_sub(SLACK));
    let most = MAX + periods(begun.elapsed().unwrap() + SLACK) - burst;
    assert!((least..=most).contains(&allowed), "{least} to {most} are right, {allowed} were allowed, {denied} denied");
}

#[tokio::test]
async fn three_nodes_together_allow_exactly_the_rate_however_often_a_client_tries() {
    let server = Server::start(Program::Redis, &[]);
    let nodes = nodes(&builder(&server)).await;
    the_rate_holds(&nodes, "chat:u:ann", Duration::ZERO).await;
    // Twice as often as allowed.
    the_rate_holds(&nodes, "chat:u:ben", Duration::from_millis(25)).await;
}

#[tokio::test]
async fn the_rate_holds_on_valkey() {
    let server = Server::start(Program::Valkey, &[]);
    the_rate_holds(&nodes(&builder(&server)).await, "chat:u:ann", Duration::ZERO).await;
}

#[tokio::test]
async fn the_rate_holds_in_a_cluster() {
    let cluster = RedisCluster::start();
    let url = format!("redis://{}", cluster.masters[0].address());
    let nodes = nodes(&patient(RedisBroker::builder(url).cluster())).await;
    the_rate_holds(&nodes, "chat:u:{ann}", Duration::ZERO).await;
    for n in 0..200 {
        assert!(take(&nodes[n % 3], &format!("spread:{n}"), 1, LONG).await.unwrap());
        assert!(!take(&nodes[(n + 1) % 3], &format!("spread:{n}"), 1, LONG).await.unwrap());
    }
    let keys = |server: &Server| server.ask(&["DBSIZE"]).text().parse::<usize>().unwrap();
    let counts: Vec<_> = cluster.masters.iter().map(keys).collect();
    assert!(counts.iter().all(|count| *count > 30), "each master has a part: {counts:?}");
}

#[tokio::test]
async fn checks_follow_a_slot_that_moves() {
    // That of `{14}`, the tag of the first partition.
    const FIRST_SLOT: u16 = 115;
    let cluster = RedisCluster::start();
    let url = format!("redis://{}", cluster.masters[0].address());
    let limits = patient(RedisBroker::builder(url).cluster()).connect().await.unwrap();
    let partition = |key: &String| {
        let slot: u32 = cluster.masters[0].ask(&["CLUSTER", "KEYSLOT", key]).text().parse().unwrap();
        slot % 128
    };
    let key = (0..).map(|n| format!("moved:{n}")).find(|key| partition(key) == 0).unwrap();
    cluster.move_slot(FIRST_SLOT, 0, 2);
    assert!(take(&limits, &key, 1, LONG).await.unwrap_err().to_string().contains("MOVED"));
    take_when_possible(&limits, &key).await;
    assert_eq!(cluster.masters[2].ask(&["EXISTS", &format!("sb:rate:{{14}}:{key}")]).text(), "1");
}

#[tokio::test]
async fn checks_go_to_the_master_that_sentinel_names() {
    let servers = RedisSentinel::start();
    let redis = RedisBroker::builder(format!("redis://{}", servers.sentinel.address())).sentinel_master("mymaster");
    let limits = patient(redis.topology_interval(Duration::from_millis(300))).connect().await.unwrap();
    assert!(take(&limits, "a", 1, LONG).await.unwrap());
    servers.sentinel.ask(&["SENTINEL", "FAILOVER", "mymaster"]);
    broker_servers::until("the replica is the master", || servers.master_port() == servers.servers[1].port());
    // The old one still takes checks for a moment.
    let started = Instant::now();
    for n in 0.. {
        let key = format!("after:{n}");
        take_when_possible(&limits, &key).await;
        if servers.servers[1].ask(&["EXISTS", &format!("sb:rate:{key}")]).text() == "1" {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "checks reach the new master");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn costs_parts_and_waits_are_those_of_a_bucket() {
    let server = Server::start(Program::Redis, &[]);
    let limits = builder(&server).connect().await.unwrap();
    let bucket = |part| RateLimitBucket::new("keyed", number(5), Duration::from_secs(500)).part(part);
    let take = async |part, cost| limits.take(bucket(part), number(cost)).await.unwrap();
    assert_eq!(take("SAY", 3).await, RateLimitOutcome::Allowed);
    let RateLimitOutcome::Denied { retry_after } = take("SAY", 3).await else { panic!("there are 2 left") };
    assert!((Duration::from_secs(95)..=Duration::from_secs(100)).contains(&retry_after), "{retry_after:?}");
    assert_eq!(take("SAY", 2).await, RateLimitOutcome::Allowed);
    assert_eq!(take("JOIN", 5).await, RateLimitOutcome::Allowed, "another type");
    assert!(matches!(take("JOIN", 1).await, RateLimitOutcome::Denied { .. }));
    limits.reset("keyed").await.unwrap();
    assert_eq!((take("SAY", 5).await, take("JOIN", 5).await), (RateLimitOutcome::Allowed, RateLimitOutcome::Allowed));
}

#[tokio::test]
async fn keys_vanish_when_their_buckets_are_full() {
    let server = Server::start(Program::Redis, &[]);
    let limits = builder(&server).connect().await.unwrap();
    let window = Duration::from_secs(3);
    for part in ["", "SAY"] {
        limits.take(RateLimitBucket::new("short", number(2), window).part(part), number(2)).await.unwrap();
    }
    // A part that needs less time does not shorten that of the others.
    limits.take(RateLimitBucket::new("short", number(2), window / 100).part("JOIN"), ONE).await.unwrap();
    assert!(take(&limits, &"x".repeat(10_000), 2, window).await.unwrap());
    let left: u64 = server.ask(&["PTTL", "sb:rate:short"]).text().parse().unwrap();
    assert!((500..=3000).contains(&left), "{left} ms");
    broker_servers::until("all keys vanish", || server.ask(&["DBSIZE"]).text() == "0");
}

#[tokio::test]
async fn what_cannot_be_a_time_locks_nobody_out() {
    let server = Server::start(Program::Redis, &[]);
    let limits = builder(&server).connect().await.unwrap();
    // As if the clock had been set back by years.
    server.ask(&["HSET", "sb:rate:future", "", "9000000000000000"]);
    let outcome = limits.take(RateLimitBucket::new("future", number(10), Duration::from_secs(100)), ONE).await.unwrap();
    let RateLimitOutcome::Denied { retry_after } = outcome else { panic!("the bucket is empty") };
    assert!(retry_after <= Duration::from_secs(10), "{retry_after:?}");
    server.ask(&["HSET", "sb:rate:text", "", "no number"]);
    assert!(take(&limits, "text", 1, LONG).await.unwrap());
    server.ask(&["SET", "sb:rate:other", "something else"]);
    let error = take(&limits, "other", 1, LONG).await.unwrap_err();
    assert!(error.to_string().contains("WRONGTYPE"), "{error}");
}

#[tokio::test]
async fn a_script_that_was_flushed_is_sent_again() {
    let mut server = Server::start(Program::Redis, &[]);
    let limits = builder(&server).connect().await.unwrap();
    for _ in 0..2 {
        server.ask(&["SCRIPT", "FLUSH"]);
        assert!(take(&limits, "a", 5, LONG).await.unwrap());
    }
    let checks: Vec<_> = (0..100).map(|_| limits.take(RateLimitBucket::new("many", number(60), LONG), ONE)).collect();
    let mut allowed = 0;
    for check in checks {
        allowed += u32::from(check.await.unwrap() == RateLimitOutcome::Allowed);
    }
    assert_eq!(allowed, 60);
    // Back, and empty.
    server.start_again();
    take_when_possible(&limits, "a").await;
}

#[tokio::test]
async fn a_server_that_hangs_delays_a_check_once_and_for_no_longer_than_the_setting() {
    let server = Server::start(Program::Redis, &[]);
    let timeout = Duration::from_millis(100);
    let limits = builder(&server).check_timeout(timeout).connect().await.unwrap();
    take_when_possible(&limits, "a").await;
    server.pause();
    let started = Instant::now();
    let bucket = || RateLimitBucket::new("a", ONE, LONG);
    let checks: Vec<_> = (0..100).map(|_| limits.take(bucket(), ONE)).collect();
    for check in checks {
        let error = check.await.unwrap_err();
        assert!(error.to_string().contains("check_timeout"), "{error}");
    }
    let elapsed = started.elapsed();
    // The link would be given up after 3 s.
    assert!(elapsed >= timeout && elapsed < Duration::from_secs(2), "a hundred checks at a time took {elapsed:?}");
    let started = Instant::now();
    for _ in 0..1000 {
        let error = take(&limits, "a", 1, LONG).await.unwrap_err();
        assert!(error.to_string().contains("does not answer"), "{error}");
    }
    // One by one, each with its timeout, they would take 100 s.
    assert!(started.elapsed() < Duration::from_secs(2), "the following fail at once: {:?}", started.elapsed());
    server.resume();
    take_when_possible(&limits, "b").await;
}

#[tokio::test]
async fn checks_that_wait_are_bounded() {
    let server = Server::start(Program::Redis, &[]);
    let redis = RedisBroker::builder(format!("redis://{}", server.address())).max_queued_operations(2);
    let limits = redis.rate_limit().connect().await.unwrap();
    server.pause();
    let _waiting = [0, 1].map(|_| limits.take(RateLimitBucket::new("a", ONE, LONG), ONE));
    let error = take(&limits, "a", 1, LONG).await.unwrap_err();
    assert!(error.to_string().contains("max_queued_operations"), "{error}");
}

#[tokio::test]
async fn without_a_server_checks_fail_until_it_is_there() {
    let mut server = Server::start(Program::Redis, &[]);
    server.kill();
    let error = builder(&server).connect().await.unwrap_err();
    assert!(error.to_string().contains(&server.address()), "{error}");
    let limits = builder(&server).build().unwrap();
    take(&limits, "a", 1, LONG).await.unwrap_err();
    server.start_again();
    take_when_possible(&limits, "a").await;
    server.kill();
    let started = Instant::now();
    while take(&limits, "a", 1000, LONG).await.is_ok() {
        assert!(started.elapsed() < PATIENCE, "the loss is noticed");
    }
    server.start_again();
    take_when_possible(&limits, "a").await;
}

#[tokio::test]
async fn a_user_with_the_documented_rights_can_check_and_reset() {
    let server = Server::start(Program::Redis, &[]);
    let rights = "+hello +ping +client|setname +role +evalsha +eval +time +hget +hset +pttl +pexpire +del";
    let words = ["ACL", "SETUSER", "ann", "on", ">secret", "resetkeys", "~sb:rate*", "-@all"];
    server.ask(&words.into_iter().chain(rights.split(' ')).collect::<Vec<_>>());
    let redis = RedisBroker::builder(format!("redis://ann:secret@{}", server.address()));
    let limits = patient(redis.clone()).connect().await.unwrap();
    assert!(take(&limits, "a", 1, LONG).await.unwrap());
    limits.reset("a").await.unwrap();
    assert!(take(&limits, "a", 1, LONG).await.unwrap());
    assert!(take(&limits, &"x".repeat(1000), 1, LONG).await.unwrap());
    let lost = patient(redis.prefix("other")).connect().await.unwrap();
    let error = take(&lost, "a", 1, LONG).await.unwrap_err();
    assert!(error.to_string().contains("NOPERM"), "{error}");
}

#[tokio::test]
async fn it_has_one_connection_which_ends_with_its_last_clone() {
    let server = Server::start(Program::Redis, &[]);
    let limits = builder(&server).connect().await.unwrap();
    let clients = || server.ask(&["CLIENT", "LIST"]).text().matches("name=switchboard-rate-limit").count();
    let clone = limits.clone();
    drop(limits);
    assert!(take(&clone, "a", 1, LONG).await.unwrap());
    assert_eq!(clients(), 1);
    let pending = clone.take(RateLimitBucket::new("a", ONE, LONG), ONE);
    drop(clone);
    let started = Instant::now();
    // Whatever became of it, it ends.
    let _ = pending.await;
    while clients() > 0 {
        assert!(started.elapsed() < PATIENCE, "the connection is closed");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
