//! Serves the chat on 127.0.0.1, on the port in `PORT`, 3000 by default.

use std::{
    env,
    error::Error,
    fmt,
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
};

use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

const DEFAULT_PORT: u16 = 3000;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), StartError> {
    let port = match env::var("PORT") {
        Ok(text) => text.parse().map_err(|_| StartError::BadPort(text))?,
        Err(_) => DEFAULT_PORT,
    };
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| StartError::Bind(port, error))?;
    let address = listener.local_addr().map_err(|error| StartError::Bind(port, error))?;
    announce(address);
    // The chat is in memory and pages reconnect, so it stops without waiting.
    tokio::select! {
        // Closes connections without a complete request, unlike `axum::serve`.
        served = switchboard::serve(listener, chat::app()) => served.map_err(|error| StartError::Bind(port, error)),
        () = stopped() => Ok(()),
    }
}

#[expect(clippy::print_stdout, reason = "tests and scripts wait for this line")]
fn announce(address: SocketAddr) {
    println!("chat: http://{address}");
}

/// Completes at ctrl-c or SIGTERM.
async fn stopped() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without signals, it runs until it is killed.
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return interrupt.await };
        tokio::select! {
            () = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    interrupt.await;
}

/// Why the server did not start.
#[derive(Debug)]
enum StartError {
    BadPort(String),
    Bind(u16, io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadPort(text) => write!(f, "PORT must be a number from 0 to 65535, not {text:?}"),
            Self::Bind(port, error) if error.kind() == ErrorKind::AddrInUse => {
                write!(f, "port {port} is taken; set PORT to another one, or to 0 for any free one")
            }
            Self::Bind(port, error) => write!(f, "cannot serve on port {port}: {error}"),
        }
    }
}

impl Error for StartError {}
