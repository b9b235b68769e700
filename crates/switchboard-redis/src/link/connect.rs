//! Opening a connection: TCP, TLS, and the greeting.

use std::{io, time::Duration};

use bytes::{Bytes, BytesMut};
use redis::{Value, ValueCodec};
use socket2::{SockRef, TcpKeepalive};
use switchboard_core::broker::{BrokerError, BrokerErrorKind};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_util::codec::Decoder;

use super::hello::{Expected, check_hello, error_of_server};
use crate::{
    address::{Address, Credentials},
    command::Command,
};

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection that has been greeted.
pub(crate) struct Connection {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) input: BytesMut,
    pub(crate) codec: ValueCodec,
}

/// How connections are opened.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    pub(crate) connect_timeout: Duration,
    pub(crate) user_timeout: Duration,
    pub(crate) keepalive: Duration,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<super::Tls>,
}

impl Connector {
    /// Opens a connection as `name`, and checks that the server is what is expected.
    ///
    /// # Errors
    ///
    /// `Unavailable`, or `Rejected` if it makes no sense to try again. The text names the address, and how to mend it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the connection is closed.
    pub(crate) async fn connect(
        &self,
        address: &Address,
        credentials: &Credentials,
        name: &str,
        expected: Expected,
    ) -> Result<Connection, BrokerError> {
        let opened = async {
            let stream = self.open(address).await.map_err(|error| unreachable(address, error))?;
            let mut connection = Connection { stream, input: BytesMut::new(), codec: ValueCodec::default() };
            let answer = connection.ask(hello(credentials, name)).await.map_err(|error| unreachable(address, error))?;
            check_hello(answer, address, expected)?;
            Ok(connection)
        };
        let slow = || {
            let detail = format!("{address} did not answer within {:?} (connect_timeout)", self.connect_timeout);
            BrokerError::new(BrokerErrorKind::Unavailable, detail)
        };
        timeout(self.connect_timeout, opened).await.map_err(|_| slow())?
    }

    async fn open(&self, address: &Address) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
        stream.set_nodelay(true)?;
        // The system counts in seconds.
        let keepalive = self.keepalive.max(Duration::from_secs(1));
        let socket = SockRef::from(&stream);
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(keepalive).with_interval(keepalive))?;
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(Some(self.user_timeout))?;
        // Other systems have no such setting.
        #[cfg(not(target_os = "linux"))]
        let _ = self.user_timeout;
        if !address.tls {
            return Ok(Box::new(stream));
        }
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            return tls.connect(stream, &address.host).await;
        }
        Err(io::Error::other("TLS is not configured; enable the feature `tls` of switchboard-redis"))
    }
}

impl Connection {
    /// Sends a command and waits for its answer. For connections that [`drive`](super::drive) does not run.
    pub(crate) async fn ask(&mut self, command: Command) -> io::Result<Value> {
        let mut output = BytesMut::new();
        command.encode(&mut output);
        self.stream.write_all(&output).await?;
        self.stream.flush().await?;
        loop {
            match self.codec.decode(&mut self.input) {
                Ok(Some(Value::Push { .. })) => {}
                Ok(Some(value)) => return Ok(value),
                Ok(None) => {
                    if self.stream.read_buf(&mut self.input).await? == 0 {
                        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed by the server"));
                    }
                }
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            }
        }
    }

    /// As [`ask`](Self::ask), within a time, and with errors of the server as errors.
    pub(crate) async fn ask_within(&mut self, limit: Duration, command: Command) -> Result<Value, BrokerError> {
        let unavailable = |detail: String| BrokerError::new(BrokerErrorKind::Unavailable, detail);
        match timeout(limit, self.ask(command)).await {
            Ok(Ok(Value::ServerError(error))) => Err(error_of_server(&error)),
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(unavailable(error.to_string())),
            Err(_) => Err(unavailable(format!("no answer within {limit:?}"))),
        }
    }
}

fn hello(credentials: &Credentials, name: &str) -> Command {
    let mut words = vec!["HELLO", "3"];
    if let Some(password) = &credentials.password {
        words.extend(["AUTH", credentials.user.as_deref().unwrap_or("default"), password]);
    }
    words.extend(["SETNAME", name]);
    Command::Words(words.into_iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect())
}

fn unreachable(address: &Address, error: io::Error) -> BrokerError {
    let advice = match error.kind() {
        io::ErrorKind::ConnectionRefused => "; is the server running, and are host and port right?",
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset if !address.tls => {
            "; does the server want TLS (`rediss://`)?"
        }
        _ => "",
    };
    BrokerError::new(BrokerErrorKind::Unavailable, format!("{address}: {error}{advice}")).with_source(error)
}
