//! An HTTP server that is safe to expose to the internet.

use std::{
    fmt,
    future::{IntoFuture, pending, poll_fn},
    io::{self, ErrorKind},
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::Poll,
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo};
use futures_util::future::{BoxFuture, Either, select};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::sleep,
};
use tower::Service as _;

/// How long to pause after `accept` failed, as it does with too many open files.
const PAUSE: Duration = Duration::from_secs(1);

/// Serves an application on a listener, like [`axum::serve()`].
///
/// Compared with `axum::serve`:
///
/// - A client that does not send the head of a request within the
///   [header timeout](Serve::header_timeout) is disconnected. `axum::serve` waits forever, so a
///   client can exhaust the server's file descriptors with idle connections.
/// - `TCP_NODELAY` is set.
/// - The client's address is available to [`ConnectInfo<SocketAddr>`](ConnectInfo),
///   [`RateLimitLayer::per_ip`](crate::RateLimitLayer::per_ip) and
///   [`HubBuilder::max_connections_per_ip`](crate::HubBuilder::max_connections_per_ip).
///
/// WebSocket connections outlive the server; close them with [`Hub::drain`](crate::Hub::drain).
///
/// ```no_run
/// use axum::Router;
/// use switchboard::{WsRouter, ws_route};
///
/// # async fn run() -> std::io::Result<()> {
/// let app = Router::new().route("/ws", ws_route(WsRouter::new()));
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
/// switchboard::serve(listener, app).await
/// # }
/// ```
///
/// # Errors
///
/// Never returns an error at present. Failures of single connections do not affect others. If the
/// listener cannot accept, as with too many open files, the server logs it and retries every
/// second.
///
/// # Cancel safety
///
/// Dropping the future stops accepting connections. Requests in progress continue.
pub fn serve(listener: TcpListener, app: Router) -> Serve {
    Serve { listener, app, header_timeout: Duration::from_secs(10), stop: Box::pin(pending()) }
}

/// The server returned by [`serve`]; does nothing until awaited.
#[must_use = "a server runs when it is awaited"]
pub struct Serve {
    listener: TcpListener,
    app: Router,
    header_timeout: Duration,
    stop: BoxFuture<'static, ()>,
}

impl Serve {
    /// Sets the time within which a client must send the head of a request, idle time before it
    /// included. The default is 10 seconds.
    pub fn header_timeout(mut self, timeout: Duration) -> Self {
        self.header_timeout = timeout;
        self
    }

    /// Stops accepting connections when `stop` completes, and returns once all requests in
    /// progress are answered. See [`guide::shutdown`](crate::guide::shutdown).
    pub fn with_graceful_shutdown(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Box::pin(stop);
        self
    }

    async fn run(self) {
        let Self { listener, app, header_timeout, mut stop } = self;
        let (stopped, stopping) = watch::channel(false);
        while let Either::Left(((stream, peer), _)) = select(pin!(accept(&listener)), &mut stop).await {
            // Fails only on a closed socket, which the first read reports.
            _ = stream.set_nodelay(true);
            tokio::spawn(connection(stream, peer, app.clone(), header_timeout, stopping.clone()));
        }
        drop((listener, stopping));
        stopped.send_replace(true);
        stopped.closed().await;
    }
}

impl IntoFuture for Serve {
    type Output = io::Result<()>;
    type IntoFuture = BoxFuture<'static, io::Result<()>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            self.run().await;
            Ok(())
        })
    }
}

impl fmt::Debug for Serve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { listener, header_timeout, .. } = self;
        f.debug_struct("Serve")
            .field("listener", listener)
            .field("header_timeout", header_timeout)
            .finish_non_exhaustive()
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The client gave up; the listener is fine.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionAborted | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
                ) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections; trying again in a second");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Serves one connection until it ends or is upgraded.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    header_timeout: Duration,
    mut stopping: watch::Receiver<bool>,
) {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(header_timeout);
    #[cfg(feature = "http2")]
    http.http2().timer(TokioTimer::new()).keep_alive_interval(Duration::from_secs(25)).enable_connect_protocol();
    #[cfg(not(feature = "http2"))]
    let http = http.http1_only();

    let asked = Arc::new(AtomicBool::new(false));
    let service = service_fn({
        let asked = Arc::clone(&asked);
        move |request: http::Request<Incoming>| {
            asked.store(true, Relaxed);
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            app.clone().call(request)
        }
    });
    let mut served = pin!(http.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let mut stop = pin!(stopping.wait_for(|stopped| *stopped));
    let mut is_stopping = false;
    // hyper's own timeout starts only after it has detected the HTTP version.
    let mut first_request = pin!(sleep(header_timeout));
    poll_fn(|cx| {
        if !is_stopping && stop.as_mut().poll(cx).is_ready() {
            is_stopping = true;
            served.as_mut().graceful_shutdown();
        }
        if let Poll::Ready(result) = served.as_mut().poll(cx) {
            if let Err(error) = result {
                tracing::debug!(error, "an HTTP connection failed");
            }
            return Poll::Ready(());
        }
        if asked.load(Relaxed) { Poll::Pending } else { first_request.as_mut().poll(cx) }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use axum::{extract::Request, response::Response, routing::get};
    use http::{StatusCode, header};
    use hyper::upgrade::OnUpgrade;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        sync::mpsc,
        time::timeout,
    };

    use super::*;
    use crate::transport::Io;

    const PATIENCE: Duration = Duration::from_secs(10);
    const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n";

    async fn listen() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        (listener, addr)
    }

    #[tokio::test]
    async fn the_socket_is_recovered_from_an_upgrade() {
        let (sender, mut found) = mpsc::channel(1);
        let upgrade = async move |mut request: Request| {
            let upgrade = request.extensions_mut().remove::<OnUpgrade>().unwrap();
            tokio::spawn(async move {
                let (io, rest) = Io::of(upgrade.await.unwrap());
                sender.send((matches!(io, Io::Socket(_)), rest)).await.unwrap();
            });
            let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
            response
                .header(header::CONNECTION, "upgrade")
                .header(header::UPGRADE, "websocket")
                .body(Body::empty())
                .unwrap()
        };
        let (listener, addr) = listen().await;
        let server = tokio::spawn(serve(listener, Router::new().route("/", get(upgrade))).into_future());
        let mut client = TcpStream::connect(addr).await.unwrap();
        client.write_all(&[UPGRADE, b"early"].concat()).await.unwrap();
        let (is_socket, rest) = timeout(PATIENCE, found.recv()).await.unwrap().unwrap();
        assert!(is_socket);
        assert_eq!(&rest[..], b"early");
        server.abort();
    }

    #[tokio::test]
    async fn a_client_that_sends_no_request_is_disconnected() {
        let (listener, addr) = listen().await;
        let app = Router::new().route("/", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()));
        let serving = serve(listener, app).header_timeout(Duration::from_millis(100));
        let server = tokio::spawn(serving.into_future());
        // A lone `P` may begin either HTTP version. Where a whole request was sent, it is answered.
        let whole = &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..];
        for sent in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n", &UPGRADE[..20], &[whole, &UPGRADE[..60]].concat(), whole] {
            let mut client = TcpStream::connect(addr).await.unwrap();
            client.write_all(sent).await.unwrap();
            let mut read = Vec::new();
            timeout(PATIENCE, client.read_to_end(&mut read)).await.unwrap().unwrap();
            let answer = String::from_utf8(read).unwrap();
            if sent.starts_with(whole) {
                assert!(
                    answer.contains(&client.local_addr().map_or_else(|_| "127.0.0.1".into(), |addr| addr.to_string()))
                );
            }
        }
        server.abort();
    }

    #[tokio::test]
    async fn a_graceful_shutdown_waits_for_requests_in_progress() {
        let (sender, mut begun) = mpsc::channel(1);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let slow = async move || {
            let (answer, wait) = tokio::sync::oneshot::channel();
            sender.send(answer).await.unwrap();
            wait.await.unwrap_or("")
        };
        let (listener, addr) = listen().await;
        let stop_when = async move { _ = stopped.await };
        let serving = serve(listener, Router::new().route("/", get(slow))).with_graceful_shutdown(stop_when);
        let server = tokio::spawn(serving.into_future());
        let mut idle = TcpStream::connect(addr).await.unwrap();
        let mut client = TcpStream::connect(addr).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let answer = timeout(PATIENCE, begun.recv()).await.unwrap().unwrap();
        stop.send(()).unwrap();
        // A connection without a request is closed at once.
        assert_eq!(timeout(PATIENCE, idle.read(&mut [0; 8])).await.unwrap().unwrap_or(0), 0);
        assert!(!server.is_finished());
        answer.send("done").unwrap();
        let mut read = Vec::new();
        timeout(PATIENCE, client.read_to_end(&mut read)).await.unwrap().unwrap();
        assert!(read.ends_with(b"done"));
        timeout(PATIENCE, server).await.unwrap().unwrap().unwrap();
    }
}
