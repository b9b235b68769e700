//! The processes, and what their state is called.

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tokio::process::Command;

use super::{
    broker::Broker,
    probe::SeenNode,
    process::Process,
    screen::{Line, Mood},
};

/// Over how many seconds a node closes its connections when it is asked to end.
const DRAIN_SECONDS: u64 = 1;

/// How long a node that was asked to end may take: its drain, the drain's grace of 5 s, and a margin.
pub(super) const NODE_PATIENCE: Duration = Duration::from_secs(DRAIN_SECONDS + 5 + 4);

/// How long a process that does not answer is starting. Then something is wrong with it.
const START: Duration = Duration::from_secs(10);

/// A process that may be killed and started again.
#[derive(Debug)]
enum State {
    Running {
        process: Process,
        since: Instant,
    },
    /// Asked to end.
    Draining(Process),
    Stopped(String),
}

/// The broker or a node.
#[derive(Debug)]
pub(super) struct Part {
    name: String,
    state: State,
    /// How often it was started.
    starts: usize,
}

impl Part {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Stopped("not started yet".into()), starts: 0 }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    /// Takes over a process that was started.
    pub(super) fn started(&mut self, process: io::Result<Process>) {
        self.starts += 1;
        self.state = match process {
            Ok(process) => State::Running { process, since: Instant::now() },
            Err(error) => State::Stopped(format!("cannot be started: {error}")),
        };
    }

    pub(super) async fn kill(&mut self) {
        match std::mem::replace(&mut self.state, State::Stopped("killed".into())) {
            State::Running { process, .. } | State::Draining(process) => process.kill().await,
            stopped @ State::Stopped(_) => self.state = stopped,
        }
    }

    pub(super) fn drain(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Stopped(String::new())) {
            State::Running { mut process, .. } => {
                process.ask_to_end();
                State::Draining(process)
            }
            other => other,
        };
    }

    pub(super) async fn stop(self, patience: Duration) {
        match self.state {
            State::Running { process, .. } | State::Draining(process) => process.stop(patience).await,
            State::Stopped(_) => {}
        }
    }

    /// Notices if it has ended.
    pub(super) fn check(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Stopped(String::new())) {
            State::Running { mut process, since } => match process.ended() {
                Some(status) => State::Stopped(format!("ended with {status}: {}", process.last_words())),
                None => State::Running { process, since },
            },
            State::Draining(mut process) => match process.ended() {
                Some(_) => State::Stopped("drained".into()),
                None => State::Draining(process),
            },
            stopped @ State::Stopped(_) => stopped,
        };
    }

    fn line(&self, state: &str, mood: Mood, details: String) -> Line {
        Line { part: self.name.clone(), mood, state: state.to_owned(), details }
    }

    /// The line of something that runs and does not answer.
    fn silent(&self, since: Instant) -> Line {
        if since.elapsed() < START {
            self.line("starting", Mood::Waiting, String::new())
        } else {
            self.line("silent", Mood::Bad, format!("does not answer; {} restarts it", self.key()))
        }
    }

    fn stopped(&self, why: &str) -> Line {
        let (state, rest) = why.split_once(": ").unwrap_or((why, ""));
        let hint = format!("{} starts it again", self.key());
        self.line(state, Mood::Bad, if rest.is_empty() { hint } else { format!("{hint}; {rest}") })
    }

    /// The key that kills or starts it.
    fn key(&self) -> &str {
        self.name.strip_prefix("node ").unwrap_or("b")
    }

    /// The status line of the broker, which has answered or not.
    pub(super) fn broker_line(&self, broker: &Broker, answers: bool) -> Line {
        match &self.state {
            State::Running { .. } if answers => {
                let again = if self.starts > 1 { format!(", started {} times", self.starts) } else { String::new() };
                self.line("up", Mood::Good, format!("{broker} on 127.0.0.1:{}{again}", broker.port))
            }
            State::Running { since, .. } => self.silent(*since),
            State::Draining(_) => self.line("ending", Mood::Waiting, String::new()),
            State::Stopped(why) => self.stopped(why),
        }
    }

    /// The status line of a node, with what it has answered.
    pub(super) fn node_line(&self, port: u16, seen: Option<&SeenNode>) -> Line {
        let details = |seen: &SeenNode| {
            let status = &seen.status;
            format!(
                "{} connections, {} members, {} published, {} gaps, {} other nodes, on 127.0.0.1:{port}",
                status.connections, status.members, status.published, status.gaps, status.nodes
            )
        };
        match (&self.state, seen) {
            (State::Running { .. }, Some(seen)) => {
                let mood = match &*seen.status.health {
                    "healthy" => Mood::Good,
                    "disconnected" => Mood::Bad,
                    _ => Mood::Waiting,
                };
                self.line(&seen.status.health, mood, details(seen))
            }
            (State::Running { since, .. }, None) => self.silent(*since),
            (State::Draining(_), seen) => self.line("draining", Mood::Waiting, seen.map(details).unwrap_or_default()),
            (State::Stopped(why), _) => self.stopped(why),
        }
    }
}

/// Starts nodes: this program, with the settings of each.
#[derive(Debug)]
pub(super) struct NodeProgram {
    pub(super) this: PathBuf,
    pub(super) broker_url: String,
    pub(super) folder: PathBuf,
}

impl NodeProgram {
    pub(super) fn start(&self, name: &str, port: u16) -> io::Result<Process> {
        let mut command = Command::new(&self.this);
        command.args(["node", "--stop-with-stdin"]);
        command.env("NODE_NAME", name).env("BIND", format!("127.0.0.1:{port}"));
        command.env("BROKER_URL", &self.broker_url).env("DRAIN_SECONDS", DRAIN_SECONDS.to_string());
        Process::start(command, &log_of(&self.folder, name))
    }
}

fn log_of(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{}.log", name.replace(' ', "-")))
}
