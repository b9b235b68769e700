//! A network of its own for a server, in which packets can be lost.

use std::{os::fd::AsFd as _, process::Stdio};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use switchboard_tests::client::PATIENCE;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use super::process::{PROGRAM, Server};

/// What to do where this cannot be had.
const NEEDS: &str = r#"this test runs its server in a network namespace, which takes root (CAP_SYS_ADMIN) and the programs ip, unshare and nsenter; run
    sudo apt-get install -y --no-install-recommends iproute2 util-linux
    sudo --preserve-env env "PATH=$PATH" cargo test -p switchboard-tests --test faults vanishes"#;

/// A server whose network nobody else is in: only a loopback device, which is up.
pub(super) async fn start_server() -> Server {
    for probe in ["unshare --net -- ip link set lo up", "nsenter --version"] {
        let mut words = probe.split(' ');
        let output = Command::new(words.next().unwrap_or_default()).args(words).stdin(Stdio::null()).output().await;
        let why = match output {
            Ok(output) if output.status.success() => continue,
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => error.to_string(),
        };
        panic!("{NEEDS}\n`{probe}` failed: {why}");
    }
    let mut command = Command::new("unshare");
    command.args(["--net", "--", "sh", "-c", r#"ip link set lo up && exec "$0""#, PROGRAM]);
    Server::start_by(command).await
}

/// A program in the network of a server.
fn beside(server: &Server, program: &str) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/proc/{}/ns/net", server.pid())).args(["--", program]);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Where the clients are whose packets can be lost.
pub(super) const VANISHING: &str = "127.0.0.9";

/// Where the others are.
pub(super) const STAYING: &str = "127.0.0.1";

/// Loses every packet to and from [`VANISHING`], and tells neither side.
pub(super) async fn lose_packets(server: &Server) {
    let status = beside(server, "ip").args(["route", "add", "blackhole", VANISHING, "table", "local"]).status();
    assert!(timeout(PATIENCE, status).await.expect("an end in time").expect("ip starts").success());
}

/// Moves this thread into the network of a server.
pub(super) fn enter(pid: u32) {
    let namespace = std::fs::File::open(format!("/proc/{pid}/ns/net")).expect("a server that runs");
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).expect("a network to enter");
}

/// A client in the network of a server. Killed when dropped.
#[derive(Debug)]
pub(super) struct Client {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl Client {
    /// Connects from an address, and sends these text frames at once.
    pub(super) fn start(server: &Server, from: &str, path: &str, frames: &[&str]) -> Self {
        let mut command = beside(server, env!("CARGO_BIN_EXE_ws-client"));
        command.args([&server.address().to_string(), path, from]).args(frames).stdout(Stdio::piped());
        let mut process = command.spawn().expect("ws-client starts");
        let output = BufReader::new(process.stdout.take().expect("a piped output")).lines();
        Self { process, output }
    }

    /// The next message.
    pub(super) async fn recv(&mut self) -> serde_json::Value {
        let line = timeout(PATIENCE, self.output.next_line()).await.expect("a message in time").expect("a message");
        serde_json::from_str(&line.expect("an open connection")).expect("JSON")
    }

    /// Ends it without a word.
    pub(super) async fn kill(mut self) {
        self.process.kill().await.expect("it can be ended");
    }
}
