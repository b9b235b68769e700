//! `conformance-server` as a process of its own, and what Linux tells of it in `/proc`.

use std::{fs, net::SocketAddr, process::Stdio, time::Duration};

use switchboard_tests::client::{Client, PATIENCE};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpSocket,
    process::{Child, ChildStdout, Command},
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::client_async;

pub(super) const PROGRAM: &str = env!("CARGO_BIN_EXE_conformance-server");

/// From so many bytes on, a block that is freed goes back to the kernel. By default glibc keeps most of what was freed,
/// for a block that lives behind it: its memory would not tell whether the server has forgotten to free something.
const GIVEN_BACK: &str = "2048";

/// How long the server may take to give memory back.
const GIVES_BACK: Duration = Duration::from_secs(60);

/// What the kernel holds for a client in each direction. Little, so that a client that stalls is felt soon.
const SOCKET_BUFFER: u32 = 16 * 1024;

const MIB: u64 = 1024 * 1024;

/// Whether the server runs on axum's `WebSocket`.
pub(super) fn on_axum() -> bool {
    std::env::var("SWITCHBOARD_TRANSPORT").as_deref() == Ok("axum")
}

/// Killed when dropped, also when a test panics.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    /// Kept open, so that the server can write to it.
    _output: BufReader<ChildStdout>,
    pid: u32,
    address: SocketAddr,
}

impl Server {
    pub(super) async fn start() -> Self {
        Self::start_by(Command::new(PROGRAM)).await
    }

    /// Starts it by a command that becomes the server, so that its process is the one that was started.
    pub(super) async fn start_by(mut command: Command) -> Self {
        command.env("PORT", "0").env("MALLOC_MMAP_THRESHOLD_", GIVEN_BACK);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().expect("conformance-server starts");
        let pid = process.id().expect("a process that runs");
        let mut output = BufReader::new(process.stdout.take().expect("a piped output"));
        let mut line = String::new();
        timeout(PATIENCE, output.read_line(&mut line)).await.expect("a line in time").expect("a line");
        let address = line.trim_end().strip_prefix("listening on ").expect("the address");
        Self { process, _output: output, pid, address: address.parse().expect("an address") }
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) async fn connect(&self, path: &str) -> Client {
        connect(self.address, path).await
    }

    /// What is resident, in bytes.
    pub(super) fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most that ever was.
    pub(super) fn peak(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, key: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).expect("the server still runs");
        let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("a process with memory");
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kilobytes * 1024
    }

    /// How many sockets it has open, those of its runtime and the one that listens included.
    pub(super) fn sockets(&self) -> usize {
        let files = fs::read_dir(format!("/proc/{}/fd", self.pid)).expect("the server still runs");
        // A file may be closed while the folder is read.
        let targets = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
        targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
    }

    /// Waits until it has no more sockets than `count`.
    pub(super) async fn wait_for_sockets(&self, count: usize, within: Duration) {
        let begin = Instant::now();
        while self.sockets() > count {
            assert!(begin.elapsed() < within, "{} sockets instead of {count} after {within:?}", self.sockets());
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until its memory is near what it was. What it is then.
    pub(super) async fn wait_for_memory(&self, base: u64) -> u64 {
        let (begin, most) = (Instant::now(), base + base / 4 + 4 * MIB);
        loop {
            let memory = self.memory();
            if memory <= most {
                return memory;
            }
            assert!(
                begin.elapsed() < GIVES_BACK,
                "memory {} after {GIVES_BACK:?}: the base is {}, the peak was {}",
                Mib(memory),
                Mib(base),
                Mib(self.peak()),
            );
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Shows that it has come through all this.
    pub(super) async fn stop(mut self) {
        assert_eq!(self.process.try_wait().expect("a process"), None, "conformance-server has ended");
        self.process.kill().await.expect("it can be ended");
    }
}

/// Connects with small buffers in the kernel.
pub(super) async fn connect(address: SocketAddr, path: &str) -> Client {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(SOCKET_BUFFER).expect("a buffer");
    socket.set_send_buffer_size(SOCKET_BUFFER).expect("a buffer");
    connect_by(socket, address, path).await
}

/// Connects a socket that was set up otherwise.
pub(super) async fn connect_by(socket: TcpSocket, address: SocketAddr, path: &str) -> Client {
    let stream = timeout(PATIENCE, socket.connect(address)).await.expect("a connection in time").expect("a server");
    stream.set_nodelay(true).expect("an open socket");
    let upgrade = client_async(format!("ws://{address}{path}"), stream);
    let (ws, response) = timeout(PATIENCE, upgrade).await.expect("an answer in time").expect("an upgrade");
    Client { ws, headers: response.headers().clone() }
}

/// Bytes for people.
pub(super) struct Mib(pub(super) u64);

impl std::fmt::Display for Mib {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tenths = self.0 * 10 / MIB;
        write!(f, "{}.{} MiB", tenths / 10, tenths % 10)
    }
}
