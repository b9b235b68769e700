//! The program, started by its one command and controlled through its standard input.

use std::{collections::HashMap, fs, net::SocketAddr, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    net::TcpStream,
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// How long anything may take. A process may be slow to start where much else runs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The running program. What it has started ends with it, and with this.
pub(crate) struct Running {
    child: Child,
    /// `None` once it has ended.
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    pub(crate) addr: SocketAddr,
    /// What it has said last about each part.
    states: HashMap<String, String>,
    /// Everything that it has said.
    said: Vec<String>,
}

impl Running {
    /// Starts it on free ports, and waits until everything is up.
    pub(crate) async fn start(broker: &str, balancer: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_multi-node"));
        command.args(["--port", "0", "--stop-with-stdin", "--broker", broker, "--balancer", balancer]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut running = Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            states: HashMap::new(),
            said: Vec::new(),
        };
        let first = running.read().await;
        let url = first.strip_prefix("multi-node: http://").unwrap_or_else(|| panic!("no address: {first}"));
        running.addr = url.split(' ').next().unwrap().parse().unwrap();
        running.until("broker", "up").await;
        for index in 1..=3 {
            running.until(&format!("node {index}"), "healthy").await;
        }
        running.until("balancer", "up").await;
        // Healthy is its own link; a node that is new to the others is not counted by them yet.
        until("the nodes know each other", async || {
            let (_, figures) = switchboard_tests::client::http(running.addr, "GET", "/status", None).await;
            figures["nodes"] == 2
        })
        .await;
        running
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Gives it a command.
    pub(crate) async fn line(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn read(&mut self) -> String {
        let next = timeout(PATIENCE, self.output.next_line()).await;
        let line = next.unwrap_or_else(|_| panic!("no news; it has said {:#?}", self.said)).unwrap();
        let line = line.unwrap_or_else(|| panic!("it has ended; it has said {:#?}", self.said));
        if let Some((part, state)) = line.split_once(": ") {
            self.states.insert(part.to_owned(), state.to_owned());
        }
        self.said.push(line.clone());
        line
    }

    /// Waits until a part is in a state, by what it says.
    pub(crate) async fn until(&mut self, part: &str, state: &str) {
        while self.states.get(part).map(String::as_str) != Some(state) {
            self.read().await;
        }
    }

    pub(crate) async fn until_line(&mut self, line: &str) {
        while self.read().await != line {}
    }

    /// Ends it as the key `q` does, and checks that nothing is left.
    pub(crate) async fn quit(mut self) {
        let children = self.children();
        self.line("quit").await;
        self.ended(children).await;
    }

    pub(crate) async fn end_by_sigterm(self) {
        let children = self.children();
        terminate(self.id()).await;
        self.ended(children).await;
    }

    pub(crate) async fn end_by_input(mut self) {
        let children = self.children();
        drop(self.input.take());
        self.ended(children).await;
    }

    fn children(&self) -> Vec<Process> {
        let children = descendants(self.id());
        assert!(children.len() >= 4, "{children:?}");
        children
    }

    async fn ended(mut self, children: Vec<Process>) {
        self.until_line("stopped").await;
        let status = timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap();
        assert!(status.success(), "{status}");
        // It has waited for them.
        let left: Vec<_> = children.iter().filter(|child| child.is_alive()).collect();
        assert!(left.is_empty(), "{left:?}");
        assert!(TcpStream::connect(self.addr).await.is_err(), "something listens on {}", self.addr);
    }

    /// Ends it with `kill -9`.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }
}

/// Sends SIGTERM, which the standard library cannot.
pub(crate) async fn terminate(id: u32) {
    assert!(Command::new("kill").args(["-TERM", &id.to_string()]).status().await.unwrap().success());
}

/// A process, known by its start as well, because ids are used again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    id: u32,
    started: String,
}

impl Process {
    pub(crate) fn is_alive(&self) -> bool {
        stat(self.id).is_some_and(|stat| stat.process == *self && stat.state != "Z")
    }
}

struct Stat {
    process: Process,
    parent: u32,
    state: String,
}

fn stat(id: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name may hold anything, but ends with the last parenthesis.
    let fields: Vec<_> = text.rsplit_once(") ")?.1.split(' ').collect();
    let started = (*fields.get(19)?).to_owned();
    let (state, parent) = ((*fields.first()?).to_owned(), fields.get(1)?.parse().ok()?);
    Some(Stat { process: Process { id, started }, parent, state })
}

/// Returns all processes below one.
pub(crate) fn descendants(id: u32) -> Vec<Process> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let all: Vec<Stat> = ids.filter_map(stat).filter(|stat| stat.state != "Z").collect();
    let mut found: Vec<Process> = Vec::new();
    let mut parents = vec![id];
    while let Some(parent) = parents.pop() {
        for stat in all.iter().filter(|stat| stat.parent == parent) {
            parents.push(stat.process.id);
            found.push(stat.process.clone());
        }
    }
    found
}

/// Polls until something is true.
pub(crate) async fn until(what: &str, mut is_true: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !is_true().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"));
}
