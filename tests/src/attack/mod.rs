//! Attacks on a server, each beside a well-behaved client, whose latency is measured alone and
//! under attack, with the server's memory.

mod clients;
mod neighbour;
mod server;

use std::{
    io::{self, BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tokio::runtime::Builder;

use self::neighbour::{Neighbour, Times};
pub use self::server::app;

/// The core of the servers.
const SERVERS: &str = "0";

/// The core of the neighbour and of the attackers.
const CLIENTS: &str = "1";

/// How long the neighbour runs alone.
const ALONE: Duration = Duration::from_secs(1);

/// How long an attack lasts.
const ATTACK: Duration = Duration::from_secs(4);

/// The names of the attacks, and what each does.
pub const NAMES: [(&str, &str); 6] = [
    ("a1", "2 clients send 20 payloads of 64 KiB a second that are refused"),
    ("a2", "1 client sends 256 requests at once, each of which takes 5 ms of processor time"),
    ("a3", "1 client sets 2 000 topics at once, of a rule with `max_per_connection`"),
    ("a7", "2 clients send requests with new idempotency keys as fast as they can"),
    ("a8", "2 clients send heartbeats as fast as they can, and come back when they are closed"),
    ("a10", "1 client asks for 60 kB again and again, and reads 13 MB a second"),
];

/// Runs an attack and returns a line with the results.
///
/// The neighbour is also measured while another server is attacked: what it loses then, it loses to
/// the processor time that attackers and servers share on this machine, and not to its own server.
///
/// # Errors
///
/// If there is no such attack, or a server does not start.
pub fn run(name: &str) -> io::Result<String> {
    find(name)?;
    move_to_clients()?;
    let (mut server, mut other) = (Server::start()?, Server::start()?);
    let address = server.address;
    let alone = Neighbour::start(address).stop_after(ALONE)?;
    let (elsewhere, _) = beside(name, address, other.address)?;
    other.stop()?;
    let before = server.memory()?;
    let (attacked, seen) = beside(name, address, address)?;
    let (after, most) = (server.memory()?, server.most_memory()?);
    server.stop()?;
    let ratio = |times: &Times| times.p99().as_secs_f64() / alone.p99().as_secs_f64();
    Ok(format!(
        "{name}: neighbour alone {alone}, under attack {attacked}, p99 × {:.1} \
         (× {:.1} if another server is attacked); memory {before} kB, at most {most} kB, then {after} kB; {seen}",
        ratio(&attacked),
        ratio(&elsewhere),
    ))
}

/// Measures the neighbour of one server while this or another one is attacked. Returns what the
/// attackers have seen, too.
fn beside(name: &str, neighbour: SocketAddr, attacked: SocketAddr) -> io::Result<(Times, String)> {
    let neighbour = Neighbour::start(neighbour);
    // On another machine, they would take no processor time from the server and the neighbour. Of lowest priority, they
    // would still keep a core for some milliseconds; those that are idle give it back at once.
    let mut attackers = on_core(CLIENTS, &["chrt", "--idle", "0"])?;
    attackers.args(["against", name, &attacked.to_string()]);
    let attackers = attackers.output()?;
    if !attackers.status.success() {
        let why = String::from_utf8_lossy(&attackers.stderr);
        return Err(io::Error::other(format!("the attackers failed: {}", why.trim_end())));
    }
    let seen = String::from_utf8_lossy(&attackers.stdout).trim_end().to_owned();
    Ok((neighbour.stop_after(Duration::ZERO)?, seen))
}

/// Attacks a running server and returns the result. For [`run`], in a process of its own.
///
/// # Errors
///
/// If the arguments are not an attack and an address.
pub fn against(arguments: &[String]) -> io::Result<String> {
    let [name, address] = arguments else { return Err(io::Error::other("usage: attack against NAME ADDRESS")) };
    let address = address.parse().map_err(io::Error::other)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(find(name)?(address, Instant::now() + ATTACK)))
}

/// Returns this program, to be run on one core by another program.
fn on_core(core: &str, by: &[&str]) -> io::Result<Command> {
    let mut command = Command::new("taskset");
    command.args(["-c", core]).args(by).arg(std::env::current_exe()?);
    Ok(command)
}

/// Moves this process, with the neighbour, to the core of the clients.
fn move_to_clients() -> io::Result<()> {
    let mut command = Command::new("taskset");
    let moved = command.args(["-a", "-c", "-p", CLIENTS, &std::process::id().to_string()]).output()?;
    if moved.status.success() { Ok(()) } else { Err(io::Error::other("taskset failed: two cores are needed")) }
}

fn find(name: &str) -> io::Result<clients::Attack> {
    clients::attack(name).ok_or_else(|| io::Error::other(format!("there is no attack {name}")))
}

/// This program as a server, in another process.
#[derive(Debug)]
struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start() -> io::Result<Self> {
        let mut command = on_core(SERVERS, &[])?;
        command.arg("serve").env("PORT", "0").stdout(Stdio::piped());
        if std::env::var_os("RT").is_none() {
            command.env("RT", "multi").env("WORKERS", "2");
        }
        let mut process = command.spawn()?;
        let output = process.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim_end().strip_prefix("listening on ").and_then(|address| address.parse().ok());
        let address = address.ok_or_else(|| io::Error::other(format!("no address: {line}")))?;
        Ok(Self { process, address })
    }

    fn memory(&self) -> io::Result<u64> {
        self.status("VmRSS:")
    }

    fn most_memory(&self) -> io::Result<u64> {
        self.status("VmHWM:")
    }

    /// In kB, as reported by Linux.
    fn status(&self, key: &str) -> io::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        kilobytes.ok_or_else(|| io::Error::other("the server has ended"))
    }

    fn stop(&mut self) -> io::Result<()> {
        self.process.kill()?;
        self.process.wait().map(|_| ())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.stop();
    }
}
