//! Starts a server: `PORT` from the environment, loopback only, one line when ready.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::{Router, routing::MethodRouter};
use switchboard::{Hub, MessageSet, Produces, TransportKind, WsRouter};
use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

use crate::tls::TlsListener;

/// Like [`switchboard::ws_route`], but on axum's `WebSocket` if `SWITCHBOARD_TRANSPORT` is `axum`,
/// so that all tests run on both transports.
///
/// # Panics
///
/// If the variable has another value than `axum` or `native`.
pub fn ws_route<S, D, Out, A>(router: WsRouter<S, D, Out, A>) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
    D: Send + Sync + 'static,
    Out: MessageSet,
    A: Produces<D>,
{
    switchboard::ws_route(router.transport(transport()))
}

fn transport() -> TransportKind {
    match std::env::var("SWITCHBOARD_TRANSPORT").as_deref() {
        Ok("axum") => TransportKind::Axum,
        Ok("native") | Err(_) => TransportKind::Native,
        Ok(other) => panic!("SWITCHBOARD_TRANSPORT is `{other}`: it must be `axum` or `native`"),
    }
}

/// How long closes are spread when the server is told to stop, and how long it takes at most.
const DRAIN: Duration = Duration::from_secs(2);
const STOP: Duration = Duration::from_secs(5);

/// Serves an application on 127.0.0.1, on the port in `PORT` (default 3000, 0 for any), over TLS if
/// `TLS` is `1`, until it gets SIGTERM. Then the hub is drained.
///
/// # Errors
///
/// If the port is not a number or is taken.
pub async fn serve(app: Router, hub: &Hub) -> io::Result<()> {
    let port = match std::env::var("PORT") {
        Ok(port) => port.parse().map_err(|_| io::Error::other(format!("PORT is not a port: {port}")))?,
        Err(_) => 3000,
    };
    let listener = listen(port)?;
    // Before anybody knows the address.
    let mut terminate = signal(SignalKind::terminate())?;
    announce(listener.local_addr()?);
    let served = async {
        if std::env::var("TLS").as_deref() == Ok("1") {
            return axum::serve(TlsListener::new(listener)?, app).await;
        }
        switchboard::serve(listener, app).await
    };
    let stopped = async {
        terminate.recv().await;
        hub.drain(DRAIN).reconnect_within(STOP).grace(STOP - DRAIN).await;
    };
    tokio::select! {
        served = served => served,
        () = stopped => Ok(()),
    }
}

/// Makes an application and its hub on a runtime of one thread, or of `WORKERS` threads if `RT` is
/// `multi`, and serves it: for servers that are measured.
///
/// # Errors
///
/// As [`serve`], or if there is no runtime or no application.
pub fn run<F>(app: impl FnOnce() -> F + Send + 'static) -> io::Result<()>
where
    F: Future<Output = io::Result<(Router, Hub)>> + Send,
{
    let serve = async move {
        let (app, hub) = app().await?;
        serve(app, &hub).await
    };
    if std::env::var("RT").as_deref() == Ok("multi") {
        let workers = std::env::var("WORKERS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
        let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
        // The thread that blocks is not a worker, so nothing of the server may run on it.
        runtime.block_on(async { tokio::spawn(serve).await? })
    } else {
        Builder::new_current_thread().enable_all().build()?.block_on(serve)
    }
}

/// Listens on 127.0.0.1.
///
/// # Errors
///
/// If the port is taken.
pub fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    socket.listen(4096)
}

/// Serves an application on a listener.
///
/// # Errors
///
/// If the listener fails.
pub async fn serve_on(listener: TcpListener, app: Router) -> io::Result<()> {
    switchboard::serve(listener, app).await
}

#[expect(clippy::print_stdout, reason = "callers wait for this line")]
fn announce(addr: SocketAddr) {
    println!("listening on {addr}");
}
