//! What spreads clients over the nodes: nginx, or the proxy of this example where nginx is not installed.
//!
//! Sticky sessions are not needed with either: a client has one connection, and comes back to any node.

mod nginx;
mod proxy;

use std::{io, path::Path, str::FromStr, sync::Arc};

use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use super::{
    probe::SeenNode,
    process::Process,
    program::{NotInstalled, find, version},
};

/// Which balancer is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BalancerKind {
    /// nginx if it is installed, otherwise the proxy.
    Auto,
    /// nginx.
    Nginx,
    /// The proxy of this example: TCP connections to the ready node with the fewest.
    Proxy,
}

impl FromStr for BalancerKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "nginx" => Ok(Self::Nginx),
            "proxy" => Ok(Self::Proxy),
            _ => Err(format!("there is no balancer {text:?}; use auto, nginx or proxy")),
        }
    }
}

/// A node as the balancer sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backend {
    pub(super) port: u16,
    pub(super) ready: bool,
}

/// The running balancer.
#[derive(Debug)]
pub(super) struct Balancer {
    name: String,
    running: Running,
}

#[derive(Debug)]
enum Running {
    Nginx(Box<Process>),
    Proxy(JoinHandle<()>),
}

impl Balancer {
    /// Takes the port and starts.
    pub(super) async fn start(
        kind: BalancerKind,
        this: &Path,
        listener: TcpListener,
        nodes: watch::Receiver<Vec<Backend>>,
        folder: &Path,
    ) -> Result<Self, BalancerError> {
        let program = match kind {
            BalancerKind::Proxy => None,
            BalancerKind::Auto => find("nginx"),
            BalancerKind::Nginx => Some(find("nginx").ok_or(NotInstalled {
                program: "nginx",
                package: "nginx-light",
                instead: "or do without it: --balancer proxy",
            })?),
        };
        let Some(program) = program else {
            let running = Running::Proxy(tokio::spawn(proxy::run(Arc::new(listener), nodes)));
            return Ok(Self { name: "proxy of this program".into(), running });
        };
        let port = listener.local_addr()?.port();
        // nginx listens by itself.
        drop(listener);
        let ports: Vec<_> = nodes.borrow().iter().map(|node| node.port).collect();
        let config = folder.join("nginx.conf");
        tokio::fs::write(&config, nginx::config(port, &ports, folder)).await?;
        let arguments = ["-p".as_ref(), folder.as_os_str(), "-c".as_ref(), config.as_os_str()];
        let process = Process::start_guarded(this, &program, arguments, &folder.join("balancer.log"))?;
        Ok(Self { name: format!("nginx {}", version(&program, "-v")), running: Running::Nginx(Box::new(process)) })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns why it has ended, if it has.
    pub(super) fn ended(&mut self) -> Option<String> {
        match &mut self.running {
            Running::Nginx(process) => process.ended().map(|_| process.last_words()),
            Running::Proxy(task) => task.is_finished().then(|| "its task has ended".to_owned()),
        }
    }

    pub(super) async fn stop(self) {
        match self.running {
            Running::Nginx(process) => process.kill().await,
            Running::Proxy(task) => task.abort(),
        }
    }
}

/// What becomes of what was seen of the nodes.
pub(super) fn backends(ports: &[u16], seen: &[Option<SeenNode>]) -> Vec<Backend> {
    let is_ready = |index: usize| seen.get(index).and_then(Option::as_ref).is_some_and(|node| node.ready);
    ports.iter().enumerate().map(|(index, port)| Backend { port: *port, ready: is_ready(index) }).collect()
}

/// Why the balancer did not start.
#[derive(Debug)]
pub(super) enum BalancerError {
    NotInstalled(NotInstalled),
    Io(io::Error),
}

impl From<NotInstalled> for BalancerError {
    fn from(error: NotInstalled) -> Self {
        Self::NotInstalled(error)
    }
}

impl From<io::Error> for BalancerError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
