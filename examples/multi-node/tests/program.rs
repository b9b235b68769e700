//! Row 001-6 of the checklist: everything is started by its one command, talked to through the balancer, and disturbed.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

mod browser;
mod client;
#[path = "../../../tests/tests/browser/driver.rs"]
mod driver;
mod manifests;
mod page;
mod person;
mod running;
mod yaml;

use std::process::Stdio;

use serde_json::json;
use switchboard_tests::client::{PATIENCE, http};
use tokio::{process::Command, time::timeout};

use self::{
    person::Person,
    running::{Running, descendants, until},
};

#[tokio::test]
async fn rooms_go_on_over_redis_and_nginx() {
    rooms_go_on("redis", "nginx").await;
}

#[tokio::test]
async fn rooms_go_on_over_nats_and_the_proxy_of_the_example() {
    rooms_go_on("nats", "proxy").await;
}

async fn rooms_go_on(broker: &str, balancer: &str) {
    let mut running = Running::start(broker, balancer).await;
    let mut people = people_on_each_node(&running).await;
    one_room(&mut people).await;
    monitoring(&running).await;
    a_node_is_killed(&mut running, &mut people).await;
    the_broker_is_killed(&mut running, &mut people).await;
    a_node_is_drained(&mut running, &mut people).await;
    running.quit().await;
}

/// Ann, Bob and Cid, each through another node.
async fn people_on_each_node(running: &Running) -> [Person; 3] {
    let mut people: Vec<Person> = Vec::new();
    for name in ["Ann", "Bob", "Cid"] {
        // The balancer spreads connections, but counts those of others, too.
        let person = loop {
            let person = Person::connect(running, name).await;
            if people.iter().all(|other| other.node != person.node) {
                break person;
            }
        };
        people.push(person);
    }
    for person in &mut people {
        person.enter("lobby").await;
    }
    people.try_into().unwrap_or_else(|_| panic!("three people"))
}

/// Messages, typing, counts and names over all nodes.
async fn one_room([ann, bob, cid]: &mut [Person; 3]) {
    for person in [&mut *ann, &mut *bob, &mut *cid] {
        person.until_members("lobby", 3).await;
    }
    ann.say("lobby", "Hello from Ann").await;
    for person in [&mut *bob, &mut *cid] {
        let message = person.hear("Hello from Ann").await;
        assert_eq!(message["member"]["name"], "Ann");
        assert_eq!(message["member"]["node"], ann.node.as_str());
        assert_eq!(message["member"]["userId"], ann.user_id.as_str());
    }
    bob.client.send("TYPING", json!({ "typing": true })).await;
    let notice = ann.until("MEMBER_TYPING").await;
    assert_eq!((&notice["member"]["name"], &notice["typing"]), (&json!("Bob"), &json!(true)));
    // Bob tells Ann that he is here, and nobody else.
    bob.client.send("GREET", json!({ "userId": ann.user_id })).await;
    let here = ann.until("HERE").await;
    assert_eq!((&here["member"]["name"], &here["member"]["node"]), (&json!("Bob"), &json!(bob.node)));
    // Another room is another topic.
    cid.enter("garden").await;
    ann.until_left("Cid").await;
    ann.until_members("garden", 1).await;
    bob.say("lobby", "Where is Cid?").await;
    ann.hear("Where is Cid?").await;
    cid.enter("lobby").await;
    ann.until_members("lobby", 3).await;
    let error = cid.request("SAY", json!({ "roomId": "garden", "messageId": "0123456789abcdef", "text": "Hi" })).await;
    assert_eq!(error["payload"]["code"], "FAILED_PRECONDITION", "{error}");
    let error = cid.request("ENTER", json!({ "roomId": "attic", "name": "Cid", "token": cid.token })).await;
    assert_eq!(error["payload"]["message"], "There is no such room; the rooms are lobby, garden, workshop");
}

async fn monitoring(running: &Running) {
    for path in ["/healthz", "/readyz", "/"] {
        assert_eq!(http(running.addr, "GET", path, None).await.0, 200, "{path}");
    }
    // Connections that were closed are counted until the node notices.
    until("each node has one connection", async || {
        let (_, figures) = http(running.addr, "GET", "/status", None).await;
        let counts = ["nodes", "connections", "members"].map(|key| figures[key].as_u64().unwrap());
        counts == [2, 1, 1] && figures["health"] == "healthy" && figures["published"].as_u64().unwrap() > 0
    })
    .await;
}

/// Bob's node is killed. The others go on; Bob comes back through another.
async fn a_node_is_killed(running: &mut Running, [ann, bob, cid]: &mut [Person; 3]) {
    let part = bob.node.clone();
    let killed = part.strip_prefix("node ").unwrap();
    running.line(&format!("kill {killed}")).await;
    running.until(&part, "killed").await;
    bob.until_lost().await;
    cid.say("lobby", "Bob is gone").await;
    ann.hear("Bob is gone").await;
    // His node says nothing any more, and the others count without it.
    ann.until_members("lobby", 2).await;
    bob.reconnect(running).await;
    assert_ne!(bob.node, part);
    bob.enter("lobby").await;
    let joined = ann.until("JOINED").await;
    // The same person, on another node, which has never heard of him.
    assert_eq!((&joined["member"]["userId"], &joined["member"]["node"]), (&json!(bob.user_id), &json!(bob.node)));
    ann.until_members("lobby", 3).await;
    running.line(&format!("restart {killed}")).await;
    running.until(&part, "healthy").await;
    // The new clients of the node that is back hear the others.
    let mut dan = loop {
        let person = Person::connect(running, "Dan").await;
        if person.node == part {
            break person;
        }
    };
    dan.enter("lobby").await;
    ann.say("lobby", "Hello Dan").await;
    dan.hear("Hello Dan").await;
    dan.client.close(1000).await;
    ann.until_left("Dan").await;
    ann.until_members("lobby", 3).await;
}

/// Publishes fail, and say so; afterwards members are told of the gap, and messages flow again.
async fn the_broker_is_killed(running: &mut Running, people: &mut [Person; 3]) {
    running.line("kill broker").await;
    running.until("broker", "killed").await;
    for person in &mut *people {
        assert_eq!(person.until("LINK").await["link"], "down");
    }
    let [ann, bob, cid] = people;
    let payload = json!({ "roomId": "lobby", "messageId": ann.new_message_id(), "text": "Anybody?" });
    let error = ann.request("SAY", payload).await;
    assert_eq!(
        (&error["payload"]["code"], &error["payload"]["retryable"]),
        (&json!("UNAVAILABLE"), &json!(true)),
        "{error}"
    );
    // A page that connects now is told, too, and the balancer keeps all nodes.
    let eve = Person::connect(running, "Eve").await;
    assert_eq!(eve.welcome["link"], "down");
    assert_eq!(http(running.addr, "GET", "/readyz", None).await.0, 200);
    drop(eve);

    running.line("restart broker").await;
    running.until("broker", "up").await;
    for person in [&mut *ann, &mut *bob, &mut *cid] {
        let gap = json!({ "type": "$ws:gap", "payload": { "topic": "room:lobby", "reason": "broker" } });
        person.until_all(&[gap, json!({ "type": "LINK", "payload": { "link": "up" } })]).await;
    }
    for index in 1..=3 {
        running.until(&format!("node {index}"), "healthy").await;
    }
    ann.say("lobby", "Here we are").await;
    bob.hear("Here we are").await;
    cid.hear("Here we are").await;
}

/// Cid's node is replaced as in a deploy: he is asked to go, and told when.
async fn a_node_is_drained(running: &mut Running, [ann, _, cid]: &mut [Person; 3]) {
    let part = cid.node.clone();
    running.line(&format!("drain {}", part.strip_prefix("node ").unwrap())).await;
    cid.until("$ws:goaway").await;
    assert_eq!(cid.client.skip_to_close().await, 1012);
    // A node that drains says that its clients have left; one that was killed cannot.
    ann.until_left("Cid").await;
    running.until(&part, "drained").await;
    cid.reconnect(running).await;
    assert_ne!(cid.node, part);
    cid.enter("lobby").await;
    cid.say("lobby", "From another node").await;
    ann.hear("From another node").await;
}

#[tokio::test]
async fn nothing_is_left_when_it_is_killed() {
    for (broker, balancer) in [("redis", "nginx"), ("nats", "proxy")] {
        let mut running = Running::start(broker, balancer).await;
        let children = descendants(running.id());
        // Three nodes, the broker and what watches it; with nginx two more.
        assert_eq!(children.len(), if balancer == "nginx" { 7 } else { 5 }, "{children:?}");
        running.kill().await;
        until("all children end", async || !children.iter().any(|child| child.is_alive())).await;
    }
}

#[tokio::test]
async fn it_stops_at_sigterm_and_at_the_end_of_its_input() {
    Running::start("redis", "proxy").await.end_by_sigterm().await;
    Running::start("nats", "nginx").await.end_by_input().await;
}

/// A node as a container runs it, before its broker is there.
#[tokio::test]
async fn a_node_without_its_broker_is_alive_and_not_ready() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let broker = taken.local_addr().unwrap();
    let addr = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap()
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_multi-node"));
    command.arg("node").env("BIND", addr.to_string()).env("NODE_NAME", "alone").env("DRAIN_SECONDS", "0");
    // It listens, and never answers.
    command.env("BROKER_URL", format!("redis://{broker}")).stdin(Stdio::null()).kill_on_drop(true);
    let mut node = command.spawn().unwrap();
    until("the node listens", async || tokio::net::TcpStream::connect(addr).await.is_ok()).await;
    assert_eq!(http(addr, "GET", "/healthz", None).await.0, 200);
    assert_eq!(http(addr, "GET", "/readyz", None).await.0, 503);
    let (_, figures) = http(addr, "GET", "/status", None).await;
    assert_eq!((&figures["node"], &figures["health"]), (&json!("alone"), &json!("starting")), "{figures}");
    running::terminate(node.id().unwrap()).await;
    assert!(timeout(PATIENCE, node.wait()).await.unwrap().unwrap().success());
}

#[tokio::test]
async fn commands_that_do_not_exist_are_told() {
    let mut running = Running::start("redis", "proxy").await;
    for line in ["kill 4", "stop"] {
        running.line(line).await;
        running.until_line(&format!("unknown command {line:?}; help lists them")).await;
    }
    running.line("help").await;
    running.until_line("b           kill -9 of the broker, or start it again, empty").await;
    running.line("drain 2").await;
    running.until("node 2", "drained").await;
    running.line("2").await;
    running.until("node 2", "healthy").await;
    running.quit().await;
}

/// Runs it with arguments and the search path of programs, and returns what it says about its failure.
async fn failure(arguments: &[&str], path: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_multi-node"));
    command.args(arguments).env("PATH", path).stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(PATIENCE, command.output()).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn what_it_cannot_start_is_told_with_the_way_out() {
    let error = failure(&["--port", "0"], "/nowhere").await;
    let install =
        "multi-node: redis-server is not installed; run: apt-get install -y --no-install-recommends redis-server";
    assert!(error.starts_with(install), "{error}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = failure(&["--port", &port.to_string()], "/nowhere").await;
    assert_eq!(
        error,
        format!("multi-node: port {port} is taken; use --port with another one, or --port 0 for any free one\n")
    );
    let error = failure(&["--broker", "kafka"], "/nowhere").await;
    assert!(error.contains("use redis or nats; --help shows the usage"), "{error}");
    let error = failure(&["node"], "/nowhere").await;
    assert_eq!(error, "multi-node: BROKER_URL must be set to redis://HOST:6379 or nats://HOST:4222\n");
}
