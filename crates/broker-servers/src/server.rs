//! One server.

use std::{
    fs::{self, File},
    hash::{BuildHasher, Hasher, RandomState},
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream, UdpSocket},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{Program, ask};

/// A running server, or one that a test has killed and may start again.
#[derive(Debug)]
pub struct Server {
    program: Program,
    arguments: Vec<String>,
    port: Port,
    other_port: Port,
    folder: TempDir,
    child: Option<Child>,
}

/// A port of this server's own, also while it is killed.
///
/// Another test could choose a port of TCP as long as nothing listens on it, and then take the server that does for its
/// own. The port of UDP with the same number tells that it is taken; brokers do not use it.
#[derive(Debug)]
struct Port {
    number: u16,
    _held: UdpSocket,
}

impl Port {
    /// Returns a port that nothing listens on, outside the range from which the system takes ports for connections.
    fn free() -> Self {
        let mut random = RandomState::new().build_hasher();
        loop {
            random.write_u8(0);
            let number = 16_000 + (random.finish() % 16_000) as u16;
            if let Ok(held) = UdpSocket::bind(("127.0.0.1", number))
                && TcpListener::bind(("127.0.0.1", number)).is_ok()
            {
                return Self { number, _held: held };
            }
        }
    }
}

impl Server {
    /// Starts a server, and waits until it answers.
    ///
    /// `arguments` are added to those that every server gets. `{folder}` in them is the server's folder, `{other_port}`
    /// another free port.
    ///
    /// # Panics
    ///
    /// If it is not installed or does not start, with its log.
    #[must_use]
    pub fn start(program: Program, arguments: &[&str]) -> Self {
        let mut server = Self {
            program,
            arguments: Vec::new(),
            port: Port::free(),
            other_port: Port::free(),
            folder: tempfile::tempdir().unwrap_or_else(|error| panic!("no folder for a server: {error}")),
            child: None,
        };
        let folder = server.folder.path().display().to_string();
        // A port that was free may be taken a moment later, so this is tried again.
        for _ in 0..10 {
            let other_port = server.other_port.number.to_string();
            let fill = |argument: &&str| argument.replace("{folder}", &folder).replace("{other_port}", &other_port);
            server.arguments = arguments.iter().map(fill).collect();
            if server.try_start() {
                return server;
            }
            (server.port, server.other_port) = (Port::free(), Port::free());
        }
        panic!("{program:?} does not start: {}", server.log())
    }

    fn try_start(&mut self) -> bool {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log"));
        let log = log.unwrap_or_else(|error| panic!("no log for a server: {error}"));
        let port = self.port.number.to_string();
        let common: &[&str] = if self.program.is_nats() {
            &["-a", "127.0.0.1", "-p", &port]
        } else {
            &["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        };
        let path = self.program.path();
        // The server ends with the thread that has started it, also if a test is killed.
        let mut command = if cfg!(target_os = "linux") {
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "KILL"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        // A file with settings comes first.
        let is_file = |argument: &&String| argument.starts_with('/');
        command.args(self.arguments.iter().take_while(is_file)).args(common);
        command.args(self.arguments.iter().skip_while(is_file)).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stderr(log.try_clone().map_or_else(|_| Stdio::null(), Stdio::from)).stdout(log);
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        self.child = Some(child);
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(20) {
            if self.answers() {
                return true;
            }
            if !matches!(self.child.as_mut().map(Child::try_wait), Some(Ok(None))) {
                return false;
            }
            sleep(Duration::from_millis(10));
        }
        self.kill();
        false
    }

    fn answers(&self) -> bool {
        if self.program.is_nats() {
            let Ok(stream) = TcpStream::connect(("127.0.0.1", self.port.number)) else { return false };
            let mut line = String::new();
            let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
            BufReader::new(stream).read_line(&mut line).is_ok() && line.starts_with("INFO")
        } else {
            match ask(self.port.number, &["PING"]) {
                Ok(reply) => reply.text() == "PONG",
                Err(error) => error.to_string().contains("NOAUTH"),
            }
        }
    }

    /// Returns the id of its process; 0 while it is killed.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Returns the port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number
    }

    /// Returns what stands for `{other_port}` in the arguments.
    #[must_use]
    pub fn other_port(&self) -> u16 {
        self.other_port.number
    }

    /// Returns the address, `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port.number)
    }

    /// Returns the log.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Gives a Redis server a command.
    ///
    /// # Panics
    ///
    /// If that does not work, or the answer is an error.
    #[track_caller]
    pub fn ask(&self, words: &[&str]) -> crate::Reply {
        ask(self.port.number, words).unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// Kills the server at once. Without effect if it does not run.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts the server again, on the same port, and empty.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start_again(&mut self) {
        self.kill();
        assert!((0..20).any(|_| self.try_start()), "the server does not start again: {}", self.log());
    }

    /// Stops the server: it does nothing, and its connections stay open.
    ///
    /// # Panics
    ///
    /// If that does not work.
    pub fn pause(&self) {
        self.signal("STOP");
        // The signal is on its way when `kill` returns, and the threads of the server stop one by one.
        if let Some(child) = &self.child
            && cfg!(target_os = "linux")
        {
            until("the server stops", || has_stopped(child.id()));
        }
    }

    /// Lets the server go on.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// Sends a signal, such as `USR2`.
    ///
    /// # Panics
    ///
    /// If that does not work.
    pub fn signal(&self, signal: &str) {
        if let Some(child) = &self.child {
            // `kill` of the shell, because the standard library sends only one signal.
            let status = Command::new("sh").arg("-c").arg(format!("kill -{signal} {}", child.id())).status();
            assert!(status.is_ok_and(|status| status.success()), "the server does not get {signal}");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether all threads of a process are stopped, by the letter behind the name in `/proc`.
fn has_stopped(process: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let stopped = threads.map(|thread| {
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
    });
    let stopped: Vec<bool> = stopped.collect();
    !stopped.is_empty() && stopped.into_iter().all(|stopped| stopped)
}

/// Waits until a condition holds.
///
/// # Panics
///
/// If it does not for half a minute.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what} within 30 s");
        sleep(Duration::from_millis(20));
    }
}
