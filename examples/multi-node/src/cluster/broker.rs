//! The broker: Redis or NATS, as installed.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{
    process::Process,
    program::{NotInstalled, find, version},
};

/// Which broker joins the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerKind {
    /// Redis 6.2 or later, or Valkey under its name.
    Redis,
    /// NATS 2.9 or later.
    Nats,
}

impl FromStr for BrokerKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "redis" => Ok(Self::Redis),
            "nats" => Ok(Self::Nats),
            _ => Err(format!("there is no broker {text:?}; use redis or nats")),
        }
    }
}

impl fmt::Display for BrokerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redis => "redis",
            Self::Nats => "nats",
        })
    }
}

/// The program of the broker, and where it listens.
#[derive(Debug, Clone)]
pub(super) struct Broker {
    kind: BrokerKind,
    program: PathBuf,
    version: String,
    pub(super) port: u16,
    folder: PathBuf,
}

impl Broker {
    pub(super) fn find(kind: BrokerKind, port: u16, folder: &Path) -> Result<Self, NotInstalled> {
        let missing = match kind {
            BrokerKind::Redis => NotInstalled {
                program: "redis-server",
                package: "redis-server",
                instead: "or use NATS with --broker nats",
            },
            BrokerKind::Nats => NotInstalled {
                program: "nats-server",
                package: "nats-server",
                instead: "or use Redis with --broker redis",
            },
        };
        let program = find(missing.program).ok_or(missing)?;
        let version = version(&program, "--version");
        Ok(Self { kind, program, version, port, folder: folder.to_owned() })
    }

    /// Starts it, empty, and without files of its own.
    pub(super) fn start(&self, this: &Path) -> io::Result<Process> {
        let port = self.port.to_string();
        let folder = self.folder.display().to_string();
        let arguments: &[&str] = match self.kind {
            BrokerKind::Redis => {
                &["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", &folder]
            }
            BrokerKind::Nats => &["-a", "127.0.0.1", "-p", &port],
        };
        Process::start_guarded(this, &self.program, arguments, &self.folder.join("broker.log"))
    }

    /// Returns the URL for nodes.
    pub(super) fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.kind, self.port)
    }

    /// What to send, and what the answer begins with.
    pub(super) fn greeting(&self) -> (&'static str, &'static str) {
        match self.kind {
            BrokerKind::Redis => ("PING\r\n", "+PONG"),
            BrokerKind::Nats => ("", "INFO"),
        }
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.version)
    }
}
