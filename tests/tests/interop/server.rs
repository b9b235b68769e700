//! `echo-server` as a process of its own.

use std::process::Stdio;

use switchboard_tests::client::PATIENCE;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// What carries the frames.
#[derive(Clone, Copy, Debug)]
pub(super) enum Transport {
    Native,
    Axum,
}

/// Killed when dropped.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    /// Kept open, so that the server can write to it.
    output: BufReader<ChildStdout>,
    address: String,
}

impl Server {
    pub(super) async fn start(transport: Transport) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-server"));
        command.env("PORT", "0").env_remove("SWITCHBOARD_TRANSPORT");
        if let Transport::Axum = transport {
            command.env("SWITCHBOARD_TRANSPORT", "axum");
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().expect("echo-server starts");
        let mut output = BufReader::new(process.stdout.take().expect("a piped output"));
        let mut line = String::new();
        timeout(PATIENCE, output.read_line(&mut line)).await.expect("a line in time").expect("a line");
        let address = line.trim_end().strip_prefix("listening on ").expect("the address").to_owned();
        Self { process, output, address }
    }

    /// Where it listens, as `ADDRESS:PORT`.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn url(&self) -> String {
        format!("ws://{}/", self.address)
    }

    /// Shows that it has come through all this, without another line.
    pub(super) async fn stop(mut self) {
        assert_eq!(self.process.try_wait().expect("a process"), None, "echo-server has ended");
        self.process.kill().await.expect("it can be ended");
        let mut rest = String::new();
        self.output.read_line(&mut rest).await.expect("an output");
        assert_eq!(rest, "");
    }
}
