//! A node in a process of its own.

use std::{fs::File, net::SocketAddr, path::Path, process::Stdio, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, Command},
    time::timeout,
};

use super::NodeOptions;

/// How long a node may take to start, or to end after a drain.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running node. It is killed when dropped, and ends by itself when this process does.
#[derive(Debug)]
pub struct NodeProcess {
    child: Child,
    input: Option<ChildStdin>,
    address: SocketAddr,
}

impl NodeProcess {
    /// Starts the program `node` of a checker, and waits until it listens. Its log is appended to a file.
    ///
    /// # Errors
    ///
    /// If it does not start in time.
    pub async fn start(program: &Path, options: &NodeOptions, log: &Path) -> Result<Self> {
        let log = File::options().create(true).append(true).open(log).with_context(|| log.display().to_string())?;
        let mut command = Command::new(program);
        command.arg("node").args(options.arguments()).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().with_context(|| format!("cannot start `{}`", program.display()))?;
        let input = child.stdin.take();
        let output = child.stdout.take().context("a node without output")?;
        let line = timeout(PATIENCE, BufReader::new(output).lines().next_line()).await;
        let line = line.context("a node does not start in time")??.context("a node ended before it listened")?;
        let address = line.parse().with_context(|| format!("a node printed `{line}`"))?;
        Ok(Self { child, input, address })
    }

    /// Returns the address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Kills it at once, as `kill -9` does.
    ///
    /// # Errors
    ///
    /// If the operating system refuses.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.context("cannot kill a node")
    }

    /// Stops it: it does nothing, and its connections stay open.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub async fn pause(&self) -> Result<()> {
        self.signal("STOP").await
    }

    /// Lets it go on.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub async fn resume(&self) -> Result<()> {
        self.signal("CONT").await
    }

    /// Drains it, and waits until it has ended.
    ///
    /// # Errors
    ///
    /// If it does not end in time, or not in order.
    pub async fn drain(&mut self) -> Result<()> {
        let mut input = self.input.take().context("the node was drained already")?;
        input.write_all(b"drain\n").await.context("the node does not run")?;
        drop(input);
        let Ok(status) = timeout(PATIENCE, self.child.wait()).await else { bail!("a drained node does not end") };
        let status = status?;
        ensure!(status.success(), "a drained node ended with {status}");
        Ok(())
    }

    /// Sends a signal by `kill` of the shell, because the standard library sends only one.
    async fn signal(&self, signal: &str) -> Result<()> {
        let id = self.child.id().context("the node has ended")?;
        let status = Command::new("sh").arg("-c").arg(format!("kill -{signal} {id}")).status().await?;
        ensure!(status.success(), "the node does not get {signal}: {status}");
        Ok(())
    }
}
