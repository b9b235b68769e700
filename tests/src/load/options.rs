//! The command line.

use std::{io, net::SocketAddr, str::FromStr, time::Duration};

use super::Target;

pub(super) const USAGE: &str = "\
Usage: load <scenario> --addr 127.0.0.1:PORT --pid PID [options]

Scenarios:
  rpc     requests and replies: --conns C, --depth requests in flight on each
  fanout  one publisher: --conns members, --window publishes in flight, --size bytes of data
  idle    bytes of memory per connection: --conns
  memory  --conns connections send one message of --size bytes each; the server's memory until it is back
  slow    --conns members, --slow of which never read: --rate publishes a second of --size bytes

Options:
  --pid PID      the server's process
  --tls          over TLS, whatever the certificate
  --node ADDR=PID  for fanout, another node of the same application; members are spread over all nodes
  --apart        the nodes have no broker: there is a publisher on each, and all publish each event
  --bus PID      for fanout, the broker's process
  --warmup S     seconds before measuring (1)
  --time S       seconds of measuring (2); for memory, how long to wait (60)
";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    Rpc,
    Fanout,
    Idle,
    Memory,
    Slow,
}

#[derive(Debug)]
pub(super) struct Options {
    pub(super) scenario: Scenario,
    pub(super) target: Target,
    pub(super) pid: u32,
    /// More nodes of the same application, with their processes.
    pub(super) nodes: Vec<(Target, u32)>,
    /// Whether the nodes do not hear of each other's publishes.
    pub(super) apart: bool,
    /// The broker's process.
    pub(super) bus: Option<u32>,
    pub(super) conns: usize,
    pub(super) depth: usize,
    pub(super) window: usize,
    pub(super) rate: u32,
    pub(super) size: usize,
    pub(super) slow: usize,
    pub(super) warmup: Duration,
    pub(super) time: Duration,
}

impl Options {
    pub(super) fn parse(args: &[String]) -> io::Result<Self> {
        let (scenario, options) = args.split_first().ok_or_else(|| wrong("no scenario"))?;
        let mut parsed = match scenario.as_str() {
            "rpc" => Self::new(Scenario::Rpc, 1, 0),
            "fanout" => Self::new(Scenario::Fanout, 1000, 100),
            "idle" => Self::new(Scenario::Idle, 10_000, 0),
            "memory" => Self::new(Scenario::Memory, 1000, 60 * 1024),
            "slow" => Self::new(Scenario::Slow, 100, 1024),
            unknown => return Err(wrong(format!("unknown scenario `{unknown}`"))),
        };
        let (mut addr, mut nodes, mut tls) = (None, Vec::new(), false);
        let mut options = options.iter().map(String::as_str);
        while let Some(option) = options.next() {
            let value = if matches!(option, "--tls" | "--apart") { "" } else { options.next().unwrap_or_default() };
            match option {
                "--tls" => tls = true,
                "--apart" => parsed.apart = true,
                "--addr" => addr = Some(read::<SocketAddr>(option, value)?),
                "--node" => nodes.push(node(option, value)?),
                "--bus" => parsed.bus = Some(read(option, value)?),
                "--pid" => parsed.pid = read(option, value)?,
                "--conns" => parsed.conns = read(option, value)?,
                "--depth" => parsed.depth = read(option, value)?,
                "--window" => parsed.window = read(option, value)?,
                "--rate" => parsed.rate = read(option, value)?,
                "--size" => parsed.size = read(option, value)?,
                "--slow" => parsed.slow = read(option, value)?,
                "--warmup" => parsed.warmup = seconds(option, value)?,
                "--time" => parsed.time = seconds(option, value)?,
                unknown => return Err(wrong(format!("unknown option `{unknown}`"))),
            }
        }
        let addr = addr.ok_or_else(|| wrong("no --addr"))?;
        if !nodes.iter().map(|(addr, _)| addr).chain([&addr]).all(|addr| addr.ip().is_loopback()) {
            return Err(wrong("--addr must be this machine: this is for servers of one's own"));
        }
        parsed.target = Target::new(addr, tls)?;
        for (addr, pid) in nodes {
            parsed.nodes.push((Target::new(addr, tls)?, pid));
        }
        parsed.check()
    }

    fn new(scenario: Scenario, conns: usize, size: usize) -> Self {
        let time = Duration::from_secs(if scenario == Scenario::Memory { 60 } else { 2 });
        Self {
            scenario,
            target: Target::default(),
            pid: 0,
            nodes: Vec::new(),
            apart: false,
            bus: None,
            conns,
            depth: 1,
            window: 1,
            rate: 1000,
            size,
            slow: 50,
            warmup: Duration::from_secs(1),
            time,
        }
    }

    fn check(self) -> io::Result<Self> {
        let mistakes = [
            (self.pid == 0, "no --pid"),
            (self.conns == 0, "--conns must not be 0"),
            (self.depth == 0 || self.depth > 1024, "--depth must be 1 to 1024"),
            (self.window == 0 || self.window > 1024, "--window must be 1 to 1024"),
            (self.rate == 0, "--rate must not be 0"),
            (self.time.is_zero(), "--time must not be 0"),
            (
                self.scenario != Scenario::Fanout && !(self.nodes.is_empty() && self.bus.is_none()),
                "--node and --bus are for fanout",
            ),
            (self.apart && (self.nodes.is_empty() || self.bus.is_some()), "--apart is for nodes without a broker"),
            (self.scenario == Scenario::Slow && self.slow >= self.conns, "--slow must be less than --conns"),
        ];
        match mistakes.iter().find(|(made, _)| *made) {
            Some((_, why)) => Err(wrong(*why)),
            None => Ok(self),
        }
    }
}

fn read<T: FromStr>(option: &str, value: &str) -> io::Result<T> {
    value.parse().map_err(|_| wrong(format!("{option} cannot be `{value}`")))
}

fn node(option: &str, value: &str) -> io::Result<(SocketAddr, u32)> {
    let (addr, pid) = value.split_once('=').ok_or_else(|| wrong(format!("{option} must be ADDR=PID")))?;
    Ok((read(option, addr)?, read(option, pid)?))
}

fn seconds(option: &str, value: &str) -> io::Result<Duration> {
    let seconds = read(option, value)?;
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong(format!("{option} cannot be `{value}`")))
}

fn wrong(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> io::Result<Options> {
        Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_command_line_is_parsed() {
        let options = parse("rpc --addr 127.0.0.1:1 --pid 2 --conns 3 --depth 4 --tls --time 0.5").unwrap();
        assert_eq!((options.scenario, options.pid, options.conns, options.depth), (Scenario::Rpc, 2, 3, 4));
        assert_eq!(options.time, Duration::from_millis(500));
        let options = parse("fanout --addr 127.0.0.1:1 --pid 2 --node 127.0.0.1:3=4 --bus 5").unwrap();
        assert_eq!((options.nodes[0].1, options.bus, options.apart), (4, Some(5), false));
        assert!(parse("fanout --addr 127.0.0.1:1 --pid 2 --apart --node 127.0.0.1:3=4").unwrap().apart);
    }

    #[test]
    fn mistakes_are_named() {
        for (line, why) in [
            ("", "no scenario"),
            ("dance", "unknown scenario `dance`"),
            ("rpc --pid 1", "no --addr"),
            ("rpc --addr 127.0.0.1:1", "no --pid"),
            ("rpc --addr 192.0.2.1:1 --pid 1", "--addr must be this machine: this is for servers of one's own"),
            ("rpc --addr 127.0.0.1:1 --pid 1 --depth", "--depth cannot be ``"),
            ("fanout --node 127.0.0.1:1", "--node must be ADDR=PID"),
            ("rpc --addr 127.0.0.1:1 --pid 1 --bus 2", "--node and --bus are for fanout"),
            ("fanout --addr 127.0.0.1:1 --pid 1 --apart", "--apart is for nodes without a broker"),
            ("slow --addr 127.0.0.1:1 --pid 1 --conns 5 --slow 5", "--slow must be less than --conns"),
        ] {
            assert_eq!(parse(line).unwrap_err().to_string(), why, "{line}");
        }
    }
}
