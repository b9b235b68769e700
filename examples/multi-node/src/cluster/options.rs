//! The command line.

use std::{ffi::OsString, fmt};

use lexopt::{
    Arg::{Long, Short},
    Parser, ValueExt as _,
};

use super::{balancer::BalancerKind, broker::BrokerKind};

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run {
    /// Everything: broker, nodes and balancer.
    Cluster(Options),
    /// One node, with the settings of the environment.
    Node {
        /// Whether it ends with standard input.
        stop_with_stdin: bool,
    },
    /// Another program, which ends with standard input.
    Guard(OsString, Vec<OsString>),
    /// [`USAGE`].
    Help,
}

/// Options of the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The port of the page; 0 for any free one.
    pub port: u16,
    /// Which broker joins the nodes.
    pub broker: BrokerKind,
    /// Which balancer spreads the clients.
    pub balancer: BalancerKind,
    /// Whether it ends with standard input.
    pub stop_with_stdin: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { port: 3000, broker: BrokerKind::Redis, balancer: BalancerKind::Auto, stop_with_stdin: false }
    }
}

/// How the program is called.
pub const USAGE: &str = "\
Starts a broker, three nodes and a balancer on 127.0.0.1.

usage: multi-node [--broker redis|nats] [--port 3000] [--balancer auto|nginx|proxy] [--stop-with-stdin]
       multi-node node [--stop-with-stdin]

  --broker           redis (the default) or nats, as installed
  --port             the port of the page, 3000 by default; 0 for any free one
  --balancer         nginx if it is installed, or the proxy of this program
  --stop-with-stdin  ends when standard input does, for scripts
  node               one node for a deployment; its settings are variables of the environment: BROKER_URL, BIND, NODE_NAME,
                     DRAIN_SECONDS, RUST_LOG
";

/// A command line that cannot be read.
#[derive(Debug)]
pub struct UsageError(lexopt::Error);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; --help shows the usage", self.0)
    }
}

impl std::error::Error for UsageError {}

impl Run {
    /// Reads the command line, without the program's name.
    ///
    /// # Errors
    ///
    /// If an option is unknown, or its value does not fit. The text names it.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        Self::read(Parser::from_args(arguments)).map_err(UsageError)
    }

    fn read(mut parser: Parser) -> Result<Self, lexopt::Error> {
        let mut options = Options::default();
        let (mut is_node, mut is_first) = (false, true);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("help") | Short('h') => return Ok(Self::Help),
                Long("port") if !is_node => options.port = value(&mut parser, "--port", port)?,
                Long("broker") if !is_node => options.broker = value(&mut parser, "--broker", str::parse)?,
                Long("balancer") if !is_node => options.balancer = value(&mut parser, "--balancer", str::parse)?,
                Long("stop-with-stdin") => options.stop_with_stdin = true,
                lexopt::Arg::Value(value) if is_first && value == "node" => is_node = true,
                lexopt::Arg::Value(value) if is_first && value == "guard" => {
                    return Ok(Self::Guard(parser.value()?, parser.raw_args()?.collect()));
                }
                other => return Err(other.unexpected()),
            }
            is_first = false;
        }
        Ok(if is_node { Self::Node { stop_with_stdin: options.stop_with_stdin } } else { Self::Cluster(options) })
    }
}

/// Reads the value of an option.
fn value<T>(parser: &mut Parser, option: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<T, lexopt::Error> {
    let text = parser.value()?.string()?;
    read(&text).map_err(|error| format!("{option}: {error}").into())
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("{text:?} is no port; use a number from 0 to 65535"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Run, String> {
        Run::parse(line.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_need_no_argument() {
        assert_eq!(parse(""), Ok(Run::Cluster(Options::default())));
    }

    #[test]
    fn options_are_read() {
        let options =
            Options { port: 0, broker: BrokerKind::Nats, balancer: BalancerKind::Proxy, stop_with_stdin: true };
        let line = "--port 0 --broker=nats --balancer proxy --stop-with-stdin";
        assert_eq!(parse(line), Ok(Run::Cluster(options)));
        assert_eq!(parse("node"), Ok(Run::Node { stop_with_stdin: false }));
        assert_eq!(parse("node --stop-with-stdin"), Ok(Run::Node { stop_with_stdin: true }));
        let arguments = ["--port", "1", ""].map(OsString::from);
        assert_eq!(parse("guard a --port 1"), Ok(Run::Guard("a".into(), arguments[..2].to_vec())));
        assert_eq!(parse("--help"), Ok(Run::Help));
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        for (line, part) in [
            ("--port x", "--port: \"x\" is no port; use a number from 0 to 65535"),
            ("--port 65536", "--port"),
            ("--broker kafka", "use redis or nats"),
            ("--balancer x", "use auto, nginx or proxy"),
            ("--nodes 4", "--nodes"),
            ("node --port 1", "--port"),
            ("serve", "serve"),
            ("guard", "missing"),
        ] {
            let error = parse(line).err().unwrap_or_default();
            assert!(error.contains(part) && error.ends_with("--help shows the usage"), "{line}: {error}");
        }
    }
}
