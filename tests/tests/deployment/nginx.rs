//! nginx, with the configuration of `docs/deployment.md`, in front of two servers.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
    time::Duration,
};

use axum::{Router, extract::State, routing::post};
use serde_json::{Value, json};
use switchboard::{Config, Conn, Hub, TrustedProxies, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{
    client::{Client, Server},
    serve::ws_route,
};
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::block;

#[ws_message("YOU")]
struct You {
    ip: String,
    server: String,
}

#[ws_rpc("WHO_AM_I", response = You)]
struct WhoAmI {}

#[ws_message("ECHOED")]
struct Echoed {
    text: String,
}

#[ws_rpc("ECHO", response = Echoed)]
struct Echo {
    text: String,
}

/// One of the servers behind the proxy.
struct Node {
    server: Server,
    hub: Hub,
}

impl Node {
    fn start(name: &'static str, ping_interval: Duration) -> Self {
        let hub = Hub::new();
        let ws = WsRouter::new()
            .hub(hub.clone())
            .config(Config::new().ping_interval(ping_interval).pong_timeout(ping_interval))
            .trusted_proxies(TrustedProxies::new(["127.0.0.1"]).unwrap())
            .on(async move |conn: Conn, _: WhoAmI| You {
                ip: conn.client_ip().map(|ip| ip.to_string()).unwrap_or_default(),
                server: name.to_owned(),
            })
            .on(async |echo: Echo| Echoed { text: echo.text });
        let drain = async |State(hub): State<Hub>| hub.drain(Duration::ZERO).await;
        let app = Router::new().route("/ws", ws_route(ws)).route("/drain", post(drain)).with_state(hub.clone());
        Self { server: Server::start(app), hub }
    }
}

/// nginx on a free port, stopped when dropped.
struct Nginx {
    process: Child,
    addr: SocketAddr,
    _files: TempDir,
}

impl Nginx {
    /// Starts nginx with the documented block, for these servers and without TLS.
    async fn start(nodes: [&Node; 2], change: impl Fn(String) -> String) -> Self {
        // A port is free only until somebody else takes it: try again then.
        for _ in 0..10 {
            let addr = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
            if let Some(nginx) = Self::try_start(addr, nodes, &change).await {
                return nginx;
            }
        }
        panic!("nginx found no free port in ten attempts");
    }

    async fn try_start(addr: SocketAddr, nodes: [&Node; 2], change: &impl Fn(String) -> String) -> Option<Self> {
        let files = tempfile::tempdir().unwrap();
        let folder = files.path().to_str().unwrap();
        let documented = block("nginx");
        let mut http = change(documented.clone());
        for (documented, actual) in [
            ("10.0.0.11:3000", nodes[0].server.addr.to_string()),
            ("10.0.0.12:3000", nodes[1].server.addr.to_string()),
            ("listen 443 ssl;", format!("listen {addr};")),
        ] {
            assert!(http.contains(documented), "{documented}");
            http = http.replace(documented, &actual);
        }
        let http: String =
            http.lines().filter(|line| !line.trim().starts_with("ssl_")).map(|l| format!("{l}\n")).collect();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"))
            .concat();
        let config = format!(
            "daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr info;\nevents {{}}\n\
             http {{\naccess_log off;\n{temporary}{http}}}\n"
        );
        let path = files.path().join("nginx.conf");
        fs::write(&path, config).unwrap();
        // Debian's nginx is in a folder that is in the `PATH` of root alone.
        let program = ["nginx", "/usr/sbin/nginx"].into_iter().find(|program| {
            Command::new(program).arg("-v").stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        });
        let program = program.expect("nginx is not installed: run `cargo xtask setup`");
        let log = fs::File::create(files.path().join("log")).unwrap();
        let mut process = Command::new(program).arg("-p").arg(folder).arg("-c").arg(&path).stderr(log).spawn().unwrap();
        for _ in 0..1000 {
            if TcpStream::connect(addr).await.is_ok() {
                return Some(Self { process, addr, _files: files });
            }
            if process.try_wait().unwrap().is_some() {
                let log = fs::read_to_string(files.path().join("log")).unwrap();
                assert!(log.contains("Address already in use"), "nginx does not start: {log}");
                return None;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nginx does not listen after ten seconds");
    }

    async fn connect(&self) -> Client {
        switchboard_tests::client::connect(self.addr, "/ws").await
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

async fn who_am_i(client: &mut Client) -> Value {
    client.request("WHO_AM_I", "who", json!({})).await["payload"].take()
}

fn two_nodes() -> [Node; 2] {
    ["one", "two"].map(|name| Node::start(name, Duration::from_secs(10)))
}

#[tokio::test]
async fn clients_come_through_nginx_with_their_address() {
    let nodes = two_nodes();
    let nginx = Nginx::start([&nodes[0], &nodes[1]], |config| config).await;
    let mut client = nginx.connect().await;
    // The proxy's own peer: it appends the address to what the client says.
    assert_eq!(who_am_i(&mut client).await["ip"], "127.0.0.1");
    let text = "x".repeat(60_000);
    assert_eq!(client.request("ECHO", "e", json!({ "text": text })).await["payload"]["text"], text.as_str());
    assert_eq!(client.close(1000).await, 1000);
}

#[tokio::test]
async fn new_clients_go_to_the_server_that_does_not_drain() {
    let nodes = two_nodes();
    let nginx = Nginx::start([&nodes[0], &nodes[1]], |config| config).await;
    // The balancer spreads connections that stay open.
    let (mut a, mut b) = (nginx.connect().await, nginx.connect().await);
    let (at_a, at_b) = (who_am_i(&mut a).await, who_am_i(&mut b).await);
    assert_ne!(at_a["server"], at_b["server"]);
    nodes[0].hub.drain(Duration::ZERO).await;
    let drained = if at_a["server"] == "one" { &mut a } else { &mut b };
    assert_eq!(drained.skip_to_close().await, 1012);
    for _ in 0..4 {
        assert_eq!(who_am_i(&mut nginx.connect().await).await["server"], "two");
    }
}

#[tokio::test]
async fn pings_keep_an_idle_connection_through_the_read_timeout_of_nginx() {
    let nodes = ["one", "two"].map(|name| Node::start(name, Duration::from_millis(500)));
    let nginx = Nginx::start([&nodes[0], &nodes[1]], |config| {
        assert!(config.contains("proxy_read_timeout 60s;"));
        config.replace("proxy_read_timeout 60s;", "proxy_read_timeout 3s;")
    })
    .await;
    let mut client = nginx.connect().await;
    // Ten pings take longer than the proxy waits for bytes.
    let mut pings = 0;
    while pings < 10 {
        pings += usize::from(next_is_ping(&mut client).await);
    }
    assert_eq!(who_am_i(&mut client).await["ip"], "127.0.0.1");
}

/// Waits for the next frame, and returns whether it is a ping.
async fn next_is_ping(client: &mut Client) -> bool {
    use futures_util::StreamExt as _;
    let frame = tokio::time::timeout(switchboard_tests::client::PATIENCE, client.ws.next()).await;
    frame.expect("a frame in time").expect("an open connection").expect("a frame").is_ping()
}
