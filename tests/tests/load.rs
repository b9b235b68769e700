//! The load generator and the servers that it measures understand each other. How fast does not matter here.

#![cfg(target_os = "linux")]

use std::thread;

use axum::Router;
use serde_json::Value;
use switchboard_tests::{
    baseline, bench, load,
    serve::{listen, serve_on},
    tls::TlsListener,
};
use tokio::runtime::Builder;

/// Serves on a thread of its own, which ends with the test program; the address.
fn serve(app: Router, tls: bool) -> String {
    let (said, heard) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = listen(0).expect("a free port");
            said.send(listener.local_addr().expect("a bound listener")).expect("a test that waits");
            if tls {
                axum::serve(TlsListener::new(listener).expect("a certificate"), app).await
            } else {
                serve_on(listener, app).await
            }
        })
    });
    heard.recv().expect("an address").to_string()
}

fn run(app: Router, tls: bool, scenario: &str) -> Value {
    let tls_option = if tls { "--tls" } else { "" };
    load(&format!("{scenario} {tls_option} --addr {} --pid {}", serve(app, tls), std::process::id()))
}

fn load(line: &str) -> Value {
    let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let result = load::run(&args).expect("a result");
    assert_eq!(result["errors"], 0, "{line}: {result}");
    result
}

/// Both servers, with and without TLS.
fn all(scenario: &str, check: fn(&Value) -> bool) {
    for tls in [false, true] {
        for app in [bench::app(), baseline::app()] {
            let result = run(app, tls, scenario);
            assert!(check(&result), "{scenario}, TLS {tls}: {result}");
        }
    }
}

#[test]
fn requests_are_answered() {
    all("rpc --conns 3 --depth 4 --warmup 0 --time 0.5", |result| result["messages"].as_f64() > Some(0.0));
}

#[test]
fn events_are_delivered() {
    all("fanout --conns 5 --window 3 --warmup 0 --time 0.5", |result| {
        result["messages"].as_f64() > Some(0.0) && result["lost"] == 0
    });
}

#[test]
fn nodes_that_stand_alone_publish_each_for_itself() {
    let (first, second, pid) = (serve(bench::app(), false), serve(bench::app(), false), std::process::id());
    let options = "--conns 5 --window 3 --warmup 0 --time 0.5";
    let nodes = format!("--addr {first} --pid {pid} --apart --node {second}={pid}");
    let result = load(&format!("fanout {options} {nodes}"));
    assert!(result["messages"].as_f64() > Some(0.0) && result["lost"] == 0, "{result}");
}

#[test]
fn memory_is_told() {
    all("idle --conns 20", |result| result["connections"] == 20);
    all("memory --conns 5 --time 0.1", |result| result["memory_peak"].as_u64() >= result["memory_idle"].as_u64());
}

#[test]
fn members_that_do_not_read_harm_nobody() {
    all("slow --conns 4 --slow 2 --rate 100 --time 0.2", |result| result["lost"] == 0 && result["slow"] == 2);
}
