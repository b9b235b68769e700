//! The files for Docker and Kubernetes: whether they can be read, and whether what they name exists.

use std::{collections::BTreeSet, ffi::OsString, path::Path};

use multi_node::{Run, VARIABLES};
use serde_json::{Value, json};

use crate::yaml::{documents, read};

/// The settings of the library that times in the files depend on: the default of `Drain::grace`, of
/// `Config::ping_interval` and of `Config::pong_timeout`.
const DRAIN_GRACE: u64 = 5;
const PING_INTERVAL: u64 = 25;
const PONG_TIMEOUT: u64 = 10;

/// The ports of the brokers' images.
const BROKERS: [(&str, &str); 2] = [("redis://", "6379"), ("nats://", "4222")];

fn text<'a>(value: &'a Value, what: &str) -> &'a str {
    value.as_str().unwrap_or_else(|| panic!("{what} is no text: {value}"))
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap_or_else(|| panic!("no mapping: {value}")).keys().cloned().collect()
}

/// Checks that a node reads all these variables, and gets those that it must have.
fn assert_read(names: &BTreeSet<String>) {
    let read: BTreeSet<_> = VARIABLES.iter().map(|variable| variable.name.to_owned()).collect();
    let needed: BTreeSet<_> = VARIABLES
        .iter()
        .filter(|variable| variable.default.is_none())
        .map(|variable| variable.name.to_owned())
        .collect();
    assert!(names.is_subset(&read), "a node does not read {:?}", names.difference(&read).collect::<Vec<_>>());
    assert!(names.is_superset(&needed), "a node needs {:?}", needed.difference(names).collect::<Vec<_>>());
}

/// Checks that a URL names one of these hosts, with the port of its broker.
fn assert_broker(url: &str, hosts: &BTreeSet<String>) {
    let (scheme, port) = BROKERS.into_iter().find(|(scheme, _)| url.starts_with(scheme)).unwrap();
    let (host, url_port) = url[scheme.len()..].split_once(':').unwrap();
    assert!(hosts.contains(host), "{url}: no such host in {hosts:?}");
    assert_eq!(url_port, port, "{url}");
}

fn is_node(arguments: &Value) -> bool {
    let arguments = arguments.as_array().unwrap().iter().map(|argument| OsString::from(text(argument, "an argument")));
    matches!(Run::parse(arguments), Ok(Run::Node { stop_with_stdin: false }))
}

/// Returns the values of an instruction of the Dockerfile.
fn instructions<'a>(dockerfile: &'a str, name: &str) -> Vec<&'a str> {
    dockerfile.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).collect()
}

#[test]
fn the_image_runs_a_node() {
    let file = read("docker/Dockerfile");
    let [command] = *instructions(&file, "CMD") else { panic!("one CMD") };
    assert!(is_node(&serde_json::from_str(command).unwrap()), "{command}");
    let [variables] = *instructions(&file, "ENV") else { panic!("one ENV") };
    let variables: Vec<(&str, &str)> = variables.split(' ').map(|variable| variable.split_once('=').unwrap()).collect();
    assert!(variables.iter().all(|(name, _)| VARIABLES.iter().any(|variable| variable.name == *name)), "{variables:?}");
    let bind = variables.iter().find(|(name, _)| *name == "BIND").unwrap().1;
    assert_eq!(instructions(&file, "EXPOSE"), [bind.strip_prefix("0.0.0.0:").unwrap()]);
    // The oldest compiler that the workspace supports.
    let workspace = read("../../Cargo.toml");
    let (_, rest) = workspace.split_once("rust-version = \"").unwrap();
    let version = rest.split('"').next().unwrap();
    assert!(file.contains(&format!("FROM rust:{version}-")), "not built with {version}");
    assert!(file.contains("-p multi-node --bin multi-node") && file.contains("target/release/multi-node"));
}

#[test]
fn docker_compose_starts_three_nodes_behind_nginx() {
    let file = documents("docker-compose.yml").remove(0);
    let services = keys(&file["services"]);
    let nodes: Vec<_> = services.iter().filter(|name| name.starts_with("node-")).collect();
    assert_eq!(nodes.len(), 3);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in &nodes {
        let node = &file["services"][name.as_str()];
        assert_read(&keys(&node["environment"]));
        assert_broker(text(&node["environment"]["BROKER_URL"], "BROKER_URL"), &services);
        let context = folder.join(text(&node["build"]["context"], "context"));
        assert!(context.join(text(&node["build"]["dockerfile"], "dockerfile")).is_file());
        let drain: u64 = text(&node["environment"]["DRAIN_SECONDS"], "DRAIN_SECONDS").parse().unwrap();
        let grace: u64 = text(&node["stop_grace_period"], "a time").trim_end_matches('s').parse().unwrap();
        assert!(grace > drain + DRAIN_GRACE, "{name} is killed before its drain ends");
    }
    for service in file["services"].as_object().unwrap().values() {
        let needed = service["depends_on"].as_array().cloned().unwrap_or_default();
        assert!(needed.iter().all(|name| services.contains(text(name, "a service"))), "{needed:?}");
    }
    // nginx knows the nodes at their port, and the port of the page leads to it.
    let nginx = &file["services"]["nginx"];
    let (source, _) = text(&nginx["volumes"][0], "a volume").split_once(':').unwrap();
    let config = read(source);
    let servers: Vec<_> = config.lines().filter_map(|line| line.trim().strip_prefix("server ")).collect();
    let servers: Vec<_> = servers.iter().filter_map(|server| server.split(' ').next()?.split_once(':')).collect();
    let expected: Vec<_> = nodes.iter().map(|name| (name.as_str(), "3000")).collect();
    assert_eq!(servers, expected);
    let published = text(&nginx["ports"][0], "a port");
    assert!(published.starts_with("127.0.0.1:3000:"), "{published}");
    let listen = config.lines().find_map(|line| line.trim().strip_prefix("listen ")).unwrap().trim_end_matches(';');
    assert_eq!(published.rsplit(':').next(), Some(listen));
}

#[test]
fn nats_takes_the_place_of_redis() {
    let (base, file) = (documents("docker-compose.yml").remove(0), documents("docker-compose.nats.yml").remove(0));
    let (all, changed) = (keys(&base["services"]), keys(&file["services"]));
    let added: BTreeSet<_> = changed.difference(&all).cloned().collect();
    assert_eq!(added, ["nats".to_owned()].into());
    assert_eq!(file["services"]["redis"], Value::Null);
    let services: BTreeSet<_> = all.union(&changed).filter(|name| *name != "redis").cloned().collect();
    for name in all.iter().filter(|name| name.starts_with("node-")) {
        let node = &file["services"][name];
        assert_eq!(keys(&node["environment"]), ["BROKER_URL".to_owned()].into());
        assert_broker(text(&node["environment"]["BROKER_URL"], "BROKER_URL"), &services);
        assert_eq!(node["depends_on"], json!(["nats"]));
    }
}

/// Returns the one object of a kind with a name.
fn object<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found = objects.iter().filter(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    let found: Vec<_> = found.collect();
    assert_eq!(found.len(), 1, "{kind} {name}");
    found[0]
}

fn all_objects() -> Vec<Value> {
    ["kubernetes/node.yml", "kubernetes/ingress.yml", "kubernetes/broker.yml"].into_iter().flat_map(documents).collect()
}

/// Returns the container of a deployment, whose pods are those that it selects.
fn container(deployment: &Value) -> &Value {
    let template = &deployment["spec"]["template"];
    assert_eq!(deployment["spec"]["selector"]["matchLabels"], template["metadata"]["labels"]);
    &template["spec"]["containers"][0]
}

fn has_port(container: &Value, port: &Value) -> bool {
    container["ports"].as_array().unwrap().iter().any(|named| named["name"] == *port || named["containerPort"] == *port)
}

#[test]
fn kubernetes_runs_nodes_with_their_settings() {
    let objects = all_objects();
    let container = container(object(&objects, "Deployment", "multi-node"));
    assert!(is_node(&container["args"]), "{}", container["args"]);
    let variables = container["env"].as_array().unwrap();
    let value = |name: &str| variables.iter().find(|variable| variable["name"] == name).map(|found| &found["value"]);
    assert_read(&variables.iter().map(|variable| text(&variable["name"], "a name").to_owned()).collect());
    let services: BTreeSet<_> = objects
        .iter()
        .filter(|object| object["kind"] == "Service")
        .map(|service| text(&service["metadata"]["name"], "a name").to_owned())
        .collect();
    assert_broker(text(value("BROKER_URL").unwrap(), "BROKER_URL"), &services);
    let bind = text(value("BIND").unwrap(), "BIND");
    assert_eq!(bind, format!("0.0.0.0:{}", container["ports"][0]["containerPort"]));
    // Paths that are asked for in `monitoring`.
    for (probe, path) in [("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")] {
        let get = &container[probe]["httpGet"];
        assert_eq!(get["path"], path);
        assert!(has_port(container, &get["port"]), "{get}");
    }
}

#[test]
fn kubernetes_waits_for_the_drain() {
    let objects = all_objects();
    let deployment = object(&objects, "Deployment", "multi-node");
    let container = container(deployment);
    let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("no number: {value}"));
    let variables = container["env"].as_array().unwrap();
    let drain = variables.iter().find(|variable| variable["name"] == "DRAIN_SECONDS").unwrap();
    let drain: u64 = text(&drain["value"], "DRAIN_SECONDS").parse().unwrap();
    let pre_stop = number(&container["lifecycle"]["preStop"]["sleep"]["seconds"]);
    let grace = number(&deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]);
    assert!(grace > pre_stop + drain + DRAIN_GRACE);
    let probe = &container["readinessProbe"];
    assert!(number(&probe["periodSeconds"]) * number(&probe["failureThreshold"]) < pre_stop);
}

#[test]
fn services_and_the_ingress_lead_to_ports_that_there_are() {
    let objects = all_objects();
    for (service, name) in [("multi-node", "http"), ("multi-node-redis", "redis")] {
        let (service, deployment) = (object(&objects, "Service", service), object(&objects, "Deployment", service));
        assert_eq!(service["spec"]["selector"], deployment["spec"]["template"]["metadata"]["labels"]);
        let port = &service["spec"]["ports"][0];
        assert_eq!(port["name"], name);
        assert!(has_port(container(deployment), &port["targetPort"]), "{port}");
    }
    let redis = &object(&objects, "Service", "multi-node-redis")["spec"]["ports"][0]["port"];
    assert_eq!(redis.to_string(), BROKERS[0].1);
    let budget = object(&objects, "PodDisruptionBudget", "multi-node");
    let deployment = object(&objects, "Deployment", "multi-node");
    assert_eq!(budget["spec"]["selector"], deployment["spec"]["selector"]);

    let ingress = object(&objects, "Ingress", "multi-node");
    let rule = &ingress["spec"]["rules"][0];
    assert_eq!(ingress["spec"]["tls"][0]["hosts"], json!([rule["host"]]));
    let backend = &rule["http"]["paths"][0]["backend"]["service"];
    let service = object(&objects, "Service", text(&backend["name"], "a service"));
    assert_eq!(backend["port"]["name"], service["spec"]["ports"][0]["name"]);
    for time in ["proxy-read-timeout", "proxy-send-timeout"] {
        let seconds = text(&ingress["metadata"]["annotations"][format!("nginx.ingress.kubernetes.io/{time}")], time);
        assert!(seconds.parse::<u64>().unwrap() > PING_INTERVAL + PONG_TIMEOUT, "{time}");
    }
}
