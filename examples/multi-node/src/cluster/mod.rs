//! The whole on one machine: a broker, three nodes and a balancer, to watch and to disturb.

mod balancer;
mod broker;
mod command;
mod options;
mod parts;
mod probe;
mod process;
mod program;
mod screen;

use std::{
    env, fmt,
    io::{self, ErrorKind, IsTerminal as _},
    net::Ipv4Addr,
    time::Duration,
};

use tempfile::TempDir;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::interval};

pub use self::{
    balancer::BalancerKind,
    broker::BrokerKind,
    options::{Options, Run, USAGE, UsageError},
    program::NotInstalled,
};
use self::{
    balancer::{Backend, Balancer, BalancerError, backends},
    broker::Broker,
    command::{Command, HELP, Keys, NODES, parse},
    parts::{NODE_PATIENCE, NodeProgram, Part},
    probe::SeenNode,
    screen::{Line, Mood, Screen},
};
use crate::{
    platform::{SingleKeys, stop_signal},
    stdin,
};

/// How often the parts are looked at.
const LOOK: Duration = Duration::from_millis(250);

/// How long the broker and what watches it may take to end.
const BROKER_PATIENCE: Duration = Duration::from_secs(5);

/// The longest line that is read as a command.
const MAX_LINE: usize = 256;

const FOOTER: &str = "1 2 3 kill or start a node · d 1 drain · b kill or start the broker · h help · q quit";

/// What was seen at the last look.
#[derive(Debug, Clone, Default)]
struct Seen {
    nodes: Vec<Option<SeenNode>>,
    broker: bool,
    balancer: bool,
}

/// Starts everything, shows how it is doing, and stops everything at the end: of the input if it is asked for, at ctrl-c,
/// SIGTERM, or the command to quit.
///
/// # Errors
///
/// If something is not installed, or the port is taken. The text says what to do.
pub async fn run(options: Options) -> Result<(), ClusterError> {
    let mut cluster = Cluster::start(&options).await?;
    cluster.watch(&options).await;
    cluster.stop().await;
    Ok(())
}

struct Cluster {
    broker: Broker,
    broker_part: Part,
    program: NodeProgram,
    nodes: Vec<(Part, u16)>,
    balancer: Balancer,
    url: String,
    screen: Screen,
    seen: watch::Receiver<Seen>,
    looking: JoinHandle<()>,
    _folder: TempDir,
}

impl Cluster {
    async fn start(options: &Options) -> Result<Self, ClusterError> {
        let this = env::current_exe()?;
        let folder = tempfile::Builder::new().prefix("multi-node-").tempdir()?;
        let mut ports = Vec::new();
        for _ in 0..NODES + 2 {
            ports.push(program::free_port(&ports).ok_or(ClusterError::NoFreePort)?);
        }
        let node_ports = ports.split_off(2);
        let (broker_port, free_port) = (ports[0], ports[1]);
        let port = if options.port == 0 { free_port } else { options.port };
        let listener = listen(port).await?;
        let broker = Broker::find(options.broker, broker_port, folder.path())?;
        let unseen = vec![None; NODES];
        let (backends_sender, backends_receiver) = watch::channel(backends(&node_ports, &unseen));
        let balancer = Balancer::start(options.balancer, &this, listener, backends_receiver, folder.path()).await?;

        let program = NodeProgram { this, broker_url: broker.url(), folder: folder.path().to_owned() };
        let mut broker_part = Part::new("broker");
        broker_part.started(broker.start(&program.this));
        let mut nodes = Vec::new();
        for (index, port) in node_ports.iter().enumerate() {
            let mut part = Part::new(format!("node {}", index + 1));
            part.started(program.start(part.name(), *port));
            nodes.push((part, *port));
        }

        let (seen_sender, seen) = watch::channel(Seen { nodes: unseen, ..Seen::default() });
        let looking = tokio::spawn(look(broker.clone(), node_ports, port, seen_sender, backends_sender));
        let url = format!("http://127.0.0.1:{port}");
        let mut screen = Screen::new(io::stdout().is_terminal() && io::stdin().is_terminal());
        screen.say(&format!("multi-node: {url} (logs in {})", folder.path().display()));
        Ok(Self { broker, broker_part, program, nodes, balancer, url, screen, seen, looking, _folder: folder })
    }

    /// Shows the state and does what is asked, until it is asked to end.
    async fn watch(&mut self, options: &Options) {
        let keys_of_terminal = SingleKeys::begin();
        let (mut keys, mut line) = (Keys::default(), Vec::new());
        let (mut input, mut has_input) = (stdin::read(), true);
        let mut ticks = interval(LOOK);
        let mut stop = std::pin::pin!(stop_signal());
        loop {
            self.show();
            tokio::select! {
                () = &mut stop => return,
                _ = ticks.tick() => {}
                bytes = input.recv(), if has_input => match bytes {
                    None if options.stop_with_stdin => return,
                    None => has_input = false,
                    Some(bytes) => for byte in bytes {
                        let command = match keys_of_terminal {
                            Some(_) => keys.press(byte),
                            None => self.line_command(&mut line, byte),
                        };
                        if let Some(command) = command && !self.apply(command).await {
                            return;
                        }
                    },
                },
            }
        }
    }

    /// Collects a line, and returns the command that it is.
    fn line_command(&mut self, line: &mut Vec<u8>, byte: u8) -> Option<Command> {
        if byte != b'\n' {
            if line.len() < MAX_LINE {
                line.push(byte);
            }
            return None;
        }
        let text = String::from_utf8_lossy(&std::mem::take(line)).trim().to_owned();
        match parse(&text) {
            Ok(command) => Some(command),
            Err(error) if !text.is_empty() => {
                self.screen.say(&error);
                None
            }
            Err(_) => None,
        }
    }

    /// Does what is asked. Returns `false` to end.
    async fn apply(&mut self, command: Command) -> bool {
        match command {
            Command::Toggle(part) if self.part(part).is_running() => self.kill(part).await,
            Command::Kill(part) => self.kill(part).await,
            Command::Toggle(part) | Command::Restart(part) => {
                // One that still drains has the port.
                self.part(part).kill().await;
                self.begin(part);
            }
            Command::Drain(index) => {
                self.part(command::Part::Node(index)).drain();
                self.screen.say(&format!("node {} is drained: its clients go to other nodes", index + 1));
            }
            Command::Status => {
                let lines = self.lines();
                self.screen.tell_all(&lines);
            }
            Command::Help => self.screen.say(HELP),
            Command::Quit => return false,
        }
        true
    }

    fn part(&mut self, part: command::Part) -> &mut Part {
        match part {
            // Commands name only nodes that there are.
            command::Part::Node(index) if index < self.nodes.len() => &mut self.nodes[index].0,
            _ => &mut self.broker_part,
        }
    }

    async fn kill(&mut self, part: command::Part) {
        self.part(part).kill().await;
        let name = self.part(part).name().to_owned();
        self.screen.say(&format!("{name} was killed"));
    }

    fn begin(&mut self, part: command::Part) {
        let process = match part {
            command::Part::Broker => self.broker.start(&self.program.this),
            command::Part::Node(index) => {
                let (part, port) = &self.nodes[index];
                self.program.start(part.name(), *port)
            }
        };
        self.part(part).started(process);
        let name = self.part(part).name().to_owned();
        self.screen.say(&format!("{name} is started again"));
    }

    fn show(&mut self) {
        self.broker_part.check();
        for (part, _) in &mut self.nodes {
            part.check();
        }
        let lines = self.lines();
        self.screen.show(&lines, FOOTER);
    }

    fn lines(&mut self) -> Vec<Line> {
        let seen = self.seen.borrow().clone();
        let mut lines = vec![self.broker_part.broker_line(&self.broker, seen.broker)];
        for ((part, port), seen) in self.nodes.iter().zip(&seen.nodes) {
            lines.push(part.node_line(*port, seen.as_ref()));
        }
        let details = format!("{}, {}", self.url, self.balancer.name());
        let (state, mood) = match self.balancer.ended() {
            Some(why) => (format!("ended: {why}"), Mood::Bad),
            None if seen.balancer => ("up".to_owned(), Mood::Good),
            None => ("starting".to_owned(), Mood::Waiting),
        };
        lines.push(Line { part: "balancer".into(), mood, state, details });
        lines
    }

    /// Nodes first, so that each can tell the others of its clients' leaving.
    async fn stop(mut self) {
        self.screen.end();
        self.screen.say("stopping");
        self.looking.abort();
        let nodes: Vec<_> = self.nodes.into_iter().map(|(part, _)| tokio::spawn(part.stop(NODE_PATIENCE))).collect();
        for node in nodes {
            // A panic would have been reported by its task.
            _ = node.await;
        }
        self.balancer.stop().await;
        self.broker_part.stop(BROKER_PATIENCE).await;
        self.screen.say("stopped");
    }
}

/// Looks at all parts, again and again.
async fn look(
    broker: Broker,
    nodes: Vec<u16>,
    balancer: u16,
    seen: watch::Sender<Seen>,
    known: watch::Sender<Vec<Backend>>,
) {
    let mut ticks = interval(LOOK);
    loop {
        ticks.tick().await;
        let asked: Vec<_> = nodes.iter().map(|port| tokio::spawn(probe::node(*port))).collect();
        let (is_broker, is_balancer) =
            tokio::join!(probe::broker(broker.port, broker.greeting()), probe::listens(balancer));
        let mut answers = Vec::with_capacity(asked.len());
        for answer in asked {
            answers.push(answer.await.ok().flatten());
        }
        known.send_replace(backends(&nodes, &answers));
        seen.send_replace(Seen { nodes: answers, broker: is_broker, balancer: is_balancer });
    }
}

async fn listen(port: u16) -> Result<TcpListener, ClusterError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => ClusterError::PortTaken(port),
        _ => ClusterError::Io(error),
    })
}

/// Why it did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClusterError {
    /// A program is missing.
    NotInstalled(NotInstalled),
    /// Something else listens on the port of the page.
    PortTaken(u16),
    /// No port is free for the broker or a node.
    NoFreePort,
    /// A folder or process could not be made.
    Io(io::Error),
}

impl fmt::Display for ClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled(error) => error.fmt(f),
            Self::PortTaken(port) => {
                write!(f, "port {port} is taken; use --port with another one, or --port 0 for any free one")
            }
            Self::NoFreePort => {
                f.write_str("no port of 127.0.0.1 from 16000 to 31999 is free; stop something that listens")
            }
            Self::Io(error) => write!(f, "cannot start: {error}"),
        }
    }
}

impl std::error::Error for ClusterError {}

impl From<io::Error> for ClusterError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<NotInstalled> for ClusterError {
    fn from(error: NotInstalled) -> Self {
        Self::NotInstalled(error)
    }
}

impl From<BalancerError> for ClusterError {
    fn from(error: BalancerError) -> Self {
        match error {
            BalancerError::NotInstalled(error) => Self::NotInstalled(error),
            BalancerError::Io(error) => Self::Io(error),
        }
    }
}
