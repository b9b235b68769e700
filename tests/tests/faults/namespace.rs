//! A network of its own for a server, in which packets can be lost.

use std::process::Stdio;

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

/// Has the loopback device lose every packet, or no more.
pub(super) async fn set_link(server: &Server, state: &str) {
    let status = beside(server, "ip").args(["link", "set", "lo", state]).status();
    assert!(timeout(PATIENCE, status).await.expect("an end in time").expect("ip starts").success());
}

/// A client in the network of a server. Killed when dropped.
#[derive(Debug)]
pub(super) struct Client {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl Client {
    /// Connects, and sends these text frames at once.
    pub(super) fn start(server: &Server, path: &str, frames: &[&str]) -> Self {
        let mut command = beside(server, env!("CARGO_BIN_EXE_ws-client"));
        command.arg(format!("ws://{}{path}", server.address())).args(frames).stdout(Stdio::piped());
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
