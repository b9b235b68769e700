//! One connection to the server.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use super::{
    frames::{Frame, Incoming, put_pong, put_text},
    stream::Stream,
};
use crate::tls::trusting_connector;

/// How long an answer may take before it counts as an error.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// How many connections are opened at the same time.
const OPENING: usize = 64;

/// The key and its answer are the sample of RFC 6455, section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The server to connect to.
#[derive(Clone)]
pub struct Target {
    addr: SocketAddr,
    tls: Option<TlsConnector>,
    receive_buffer: Option<u32>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("addr", &self.addr).field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

/// No server yet.
impl Default for Target {
    fn default() -> Self {
        Self { addr: (Ipv4Addr::LOCALHOST, 0).into(), tls: None, receive_buffer: None }
    }
}

impl Target {
    /// Creates a target with or without TLS.
    ///
    /// # Errors
    ///
    /// If this build has no TLS.
    pub fn new(addr: SocketAddr, tls: bool) -> io::Result<Self> {
        let tls = if tls { Some(trusting_connector()?) } else { None };
        Ok(Self { addr, tls, receive_buffer: None })
    }

    /// Returns the target with this receive buffer size in the kernel.
    pub(super) fn receive_buffer(&self, bytes: u32) -> Self {
        Self { receive_buffer: Some(bytes), ..self.clone() }
    }

    /// Opens many connections, and prepares each before it counts as open.
    pub(super) async fn connect_all<F>(&self, count: usize, prepare: fn(Client) -> F) -> io::Result<Vec<Client>>
    where
        F: Future<Output = io::Result<Client>> + Send + 'static,
    {
        let mut clients = Vec::with_capacity(count);
        let mut opening = JoinSet::new();
        while clients.len() < count {
            while opening.len() < OPENING && clients.len() + opening.len() < count {
                let target = self.clone();
                opening.spawn(async move {
                    let open = async { prepare(Client::connect(&target).await?).await };
                    timeout(PATIENCE, open).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
                });
            }
            let Some(opened) = opening.join_next().await else { break };
            clients.push(opened.map_err(io::Error::other)??);
        }
        Ok(clients)
    }
}

/// An open connection.
#[derive(Debug)]
pub struct Client {
    stream: Stream,
    incoming: Incoming,
    outgoing: Vec<u8>,
}

impl Client {
    /// Connects to `/ws`.
    ///
    /// # Errors
    ///
    /// If the server does not upgrade.
    pub async fn connect(target: &Target) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        if let Some(bytes) = target.receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        let tcp = socket.connect(target.addr).await?;
        tcp.set_nodelay(true)?;
        let stream = match &target.tls {
            None => Stream::Plain(tcp),
            Some(tls) => {
                let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
                Stream::Tls(Box::new(tls.connect(name, tcp).await?))
            }
        };
        let mut client = Self { stream, incoming: Incoming::default(), outgoing: Vec::new() };
        client.upgrade(target.addr).await?;
        Ok(client)
    }

    async fn upgrade(&mut self, addr: SocketAddr) -> io::Result<()> {
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {addr}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
        );
        self.outgoing.extend_from_slice(request.as_bytes());
        loop {
            self.read().await?;
            let response = self.incoming.raw();
            let Some(end) = response.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&response[..end]).into_owned();
            self.incoming.skip(end + 4);
            if !head.starts_with("HTTP/1.1 101 ") || !head.contains(ACCEPT) {
                return Err(io::Error::other(format!("no upgrade: {}", head.lines().next().unwrap_or_default())));
            }
            return Ok(());
        }
    }

    /// Queues a text message.
    pub fn push(&mut self, text: &str) {
        put_text(&mut self.outgoing, text);
    }

    /// Writes the queued messages.
    ///
    /// # Errors
    ///
    /// If the connection is closed.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe.
    pub async fn flush(&mut self) -> io::Result<()> {
        if !self.outgoing.is_empty() {
            self.stream.write_all(&self.outgoing).await?;
            self.stream.flush().await?;
            self.outgoing.clear();
        }
        Ok(())
    }

    /// Writes the first half of the queued bytes.
    pub(super) async fn flush_half(&mut self) -> io::Result<()> {
        let half = self.outgoing.len() / 2;
        self.stream.write_all(&self.outgoing[..half]).await?;
        self.stream.flush().await?;
        self.outgoing.drain(..half);
        Ok(())
    }

    /// Writes the queued messages, then waits until something arrives.
    ///
    /// # Errors
    ///
    /// If the connection is closed.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe if nothing is queued.
    pub async fn read(&mut self) -> io::Result<()> {
        self.flush().await?;
        match self.stream.read_buf(self.incoming.room()).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Returns the next message that has arrived. Pings are answered at the next write.
    ///
    /// # Errors
    ///
    /// If the server closed the connection, or sent an invalid frame.
    pub fn next_text(&mut self) -> io::Result<Option<&[u8]>> {
        loop {
            match self.incoming.next()? {
                None => return Ok(None),
                Some(Frame::Text(at)) => return Ok(Some(self.incoming.payload(at))),
                Some(Frame::Ping(at)) => put_pong(&mut self.outgoing, self.incoming.payload(at)),
                Some(Frame::Close) => return Err(io::Error::other("the server closed the connection")),
            }
        }
    }

    /// Sends a message and waits for the next one.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read) and [`next_text`](Self::next_text).
    pub async fn ask(&mut self, text: &str) -> io::Result<Vec<u8>> {
        self.push(text);
        loop {
            self.read().await?;
            if let Some(text) = self.next_text()? {
                return Ok(text.to_vec());
            }
        }
    }

    /// Reads until the connection ends, and answers pings.
    pub(super) async fn hold(mut self) -> io::Error {
        loop {
            let step = async {
                self.read().await?;
                while self.next_text()?.is_some() {}
                Ok(())
            };
            if let Err(error) = step.await {
                return error;
            }
        }
    }
}
