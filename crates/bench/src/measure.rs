//! One measurement: a fresh server on one core, the load generator on another.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use broker_servers::Program;
use devkit::{CommandLine, Process, programs};
use serde_json::Value;

use crate::scenario::{Scenario, Server};

/// How long the server may take to start.
const START: Duration = Duration::from_secs(30);

/// How long a measurement may take.
const LONGEST: Duration = Duration::from_secs(300);

/// A running server.
#[derive(Debug)]
struct Node {
    address: String,
    process: Process,
}

/// The programs, and the cores they run on.
#[derive(Debug)]
pub(crate) struct Lab {
    bench_server: PathBuf,
    axum_server: PathBuf,
    load: PathBuf,
    /// Whether programs can be pinned to cores.
    pub(crate) pinned: bool,
    pub(crate) quick: bool,
}

impl Lab {
    /// Builds the programs.
    pub(crate) fn new(quick: bool) -> Result<Self> {
        let [bench_server, axum_server, load] = programs::build_release(["bench-server", "axum-server", "load"])?;
        let pinned = CommandLine::new("taskset").args(["-c", "1", "true"]).succeeds();
        if !pinned {
            println!(
                "    taskset cannot pin a program to a second core: the servers and the load generator share cores"
            );
        }
        Ok(Self { bench_server, axum_server, load, pinned, quick })
    }

    pub(crate) fn measure(&self, scenario: &Scenario, server: &Server) -> Result<Value> {
        let broker = server.broker.map(|program| self.broker(program)).transpose()?;
        let nodes: Vec<_> =
            (0..server.nodes).map(|_| self.start(scenario, server, broker.as_ref())).collect::<Result<_>>()?;
        let (first, others) = nodes.split_first().context("no server")?;
        let mut load = self
            .on_core("1", &self.load)
            .args(scenario.args(server, self.quick).iter().map(String::as_str))
            .args(["--addr", &first.address, "--pid", &first.process.id().to_string()]);
        for node in others {
            load = load.args(["--node", &format!("{}={}", node.address, node.process.id())]);
        }
        if let Some(broker) = &broker {
            load = load.args(["--bus", &broker.id().to_string()]);
        }
        let load = Process::start(load.process())?;
        let result = load.line(Instant::now() + LONGEST)?.context("the load generator gave no result")?;
        let result: Value = serde_json::from_str(&result).with_context(|| format!("invalid result: {result}"))?;
        ensure!(result.is_object(), "invalid result: {result}");
        Ok(result)
    }

    /// Starts a broker, on the core of the load generator.
    fn broker(&self, program: Program) -> Result<broker_servers::Server> {
        let broker = broker_servers::Server::start(program, &[]);
        if self.pinned {
            CommandLine::new("taskset").args(["-a", "-c", "-p", "1", &broker.id().to_string()]).output()?;
        }
        Ok(broker)
    }

    fn start(&self, scenario: &Scenario, server: &Server, broker: Option<&broker_servers::Server>) -> Result<Node> {
        let program = if server.program == "axum-server" { &self.axum_server } else { &self.bench_server };
        let mut command = self.on_core("0", program).env("PORT", "0").process();
        // Only this environment, so that all runs are the same.
        for name in
            ["SWITCHBOARD_TRANSPORT", "SWITCHBOARD_BROKER", "SWITCHBOARD_PREFIX", "TLS", "RT", "WORKERS", "UNCONFIRMED"]
        {
            command.env_remove(name);
        }
        command.envs(server.transport.map(|name| ("SWITCHBOARD_TRANSPORT", name)));
        command.envs(scenario.tls.then_some(("TLS", "1")));
        command.envs(scenario.unconfirmed.then_some(("UNCONFIRMED", "1")));
        command.envs(broker.map(|broker| {
            let scheme = if server.broker == Some(Program::Redis) { "redis" } else { "nats" };
            ("SWITCHBOARD_BROKER", format!("{scheme}://{}", broker.address()))
        }));
        let process = Process::start(command)?;
        let line = process.line(Instant::now() + START)?.context("the server ended at once")?;
        let address =
            line.strip_prefix("listening on ").with_context(|| format!("unexpected output of the server: {line}"))?;
        Ok(Node { address: address.to_owned(), process })
    }

    fn on_core(&self, core: &str, program: &Path) -> CommandLine {
        let program = program.to_string_lossy();
        if self.pinned { CommandLine::new("taskset").args(["-c", core, &program]) } else { CommandLine::new(&program) }
    }
}
