//! Opening a link.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_nats::{AuthError, Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, ServerError, Subscriber};
use futures_util::{FutureExt, StreamExt};
use switchboard_core::broker::{BrokerError, BrokerErrorKind};
use tokio::{sync::mpsc, task::spawn_blocking, time::timeout};

use crate::{login::ReadyLogin, settings::Settings, shared::closed};

/// The oldest version that is supported.
const OLDEST: (i64, i64) = (2, 9);
/// How many messages of one subscription the client keeps, at least: echoes, too, come through one.
const CAPACITY: usize = 1024;

pub(crate) struct Link {
    pub(super) client: Client,
    pub(super) events: mpsc::Receiver<Event>,
    /// The subject of the node's messages to itself.
    pub(super) echo: String,
    pub(super) echoes: Subscriber,
    /// How many messages have been taken from the client.
    pub(super) received: u64,
}

/// Connects to one of the servers, and proves that messages come back.
///
/// # Errors
///
/// `Unavailable`, or `Rejected` if it makes no sense to try again. The text names the servers, and how to mend it.
///
/// # Cancel safety
///
/// Cancel safe: the connection is closed.
pub(crate) async fn connect(settings: &Settings, name: &str) -> Result<Link, BrokerError> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let servers = settings.servers.clone();
    let count = servers.len();
    let (sender, mut events) = mpsc::channel(256);
    let is_established = Arc::new(AtomicBool::new(false));
    let login = settings.login.clone();
    // A thread of its own, because a file may be read.
    let login = spawn_blocking(move || login.read()).await.unwrap_or_else(|_| Err(closed()))?;
    let connecting = options(settings, login, name, sender, Arc::clone(&is_established)).connect(servers);
    // Without a provider of cryptography, rustls panics when a server wants TLS.
    let connecting = AssertUnwindSafe(connecting).catch_unwind();
    let limit = settings.connect_timeout * u32::try_from(count).unwrap_or(u32::MAX) + Duration::from_millis(100);
    let client = match timeout(limit, connecting).await {
        Ok(Ok(client)) => client.map_err(|error| unreachable(settings, error))?,
        Ok(Err(_)) => {
            let detail = format!("{}: TLS needs the feature `tls` of switchboard-nats", names(settings));
            return Err(BrokerError::new(BrokerErrorKind::Rejected, detail));
        }
        Err(_) => return Err(unavailable(settings, "no server has answered within connect_timeout")),
    };
    is_established.store(true, Ordering::Release);
    check_version(&client)?;
    // No other link has this subject, in this process or another.
    let random = RandomState::new().build_hasher().finish();
    let echo = format!("{}.echo.{random:016x}-{}", settings.prefix, NEXT.fetch_add(1, Ordering::Relaxed));
    let gone = |_| unavailable(settings, "the connection was lost at once");
    let mut echoes = client.subscribe(echo.clone()).await.map_err(|error| unavailable(settings, &error.to_string()))?;
    client.publish(echo.clone(), "0".into()).await.map_err(|error| unavailable(settings, &error.to_string()))?;
    let heard = async {
        loop {
            tokio::select! {
                message = echoes.next() => return message.ok_or(()).map(drop).map_err(gone),
                event = events.recv() => match event {
                    Some(Event::ServerError(ServerError::Other(text))) if text.contains("Permissions Violation") => {
                        return Err(missing_rights(settings, &text));
                    }
                    Some(Event::Connected) => {}
                    Some(event) => return Err(unavailable(settings, &event.to_string())),
                    None => return Err(gone(())),
                },
            }
        }
    };
    match timeout(settings.response_timeout, heard).await {
        Ok(result) => result?,
        Err(_) => return Err(unavailable(settings, "connected, but no message came back within response_timeout")),
    }
    Ok(Link { client, events, echo, echoes, received: 1 })
}

fn options(
    settings: &Settings,
    login: ReadyLogin,
    name: &str,
    events: mpsc::Sender<Event>,
    is_established: Arc<AtomicBool>,
) -> ConnectOptions {
    // A client whose connection is lost ends here, instead of sending later what it has kept.
    let log_in = move |nonce: Vec<u8>| {
        let auth = if is_established.load(Ordering::Acquire) {
            Err(AuthError::new("the broker has given up this link and opens another"))
        } else {
            login.answer(&nonce).map_err(AuthError::new)
        };
        async move { auth }
    };
    let options = ConnectOptions::with_auth_callback(log_in);
    #[cfg(feature = "tls")]
    let options = options.tls_client_config(settings.tls.0.clone());
    options
        .name(name)
        .connection_timeout(settings.connect_timeout)
        .ping_interval(settings.ping_interval.max(Duration::from_secs(1)))
        .max_reconnects(settings.servers.len())
        .reconnect_delay_callback(|_| Duration::ZERO)
        .ignore_discovered_servers()
        .subscription_capacity(settings.max_waiting_messages.max(CAPACITY))
        .event_callback(move |event| {
            // If there is no room, a later event or the missing echoes tell.
            let _ = events.try_send(event);
            async {}
        })
}

fn check_version(client: &Client) -> Result<(), BrokerError> {
    let version = client.server_info().version;
    let (major, minor) = OLDEST;
    if client.is_server_compatible(major, minor, 0) {
        return Ok(());
    }
    let detail = format!("NATS {version} is too old; upgrade it to {major}.{minor} or later");
    Err(BrokerError::new(BrokerErrorKind::Rejected, detail))
}

fn names(settings: &Settings) -> String {
    let names: Vec<_> = settings.servers.iter().map(|server| format!("{}:{}", server.host(), server.port())).collect();
    names.join(", ")
}

fn unavailable(settings: &Settings, detail: &str) -> BrokerError {
    BrokerError::new(BrokerErrorKind::Unavailable, format!("{}: {detail}", names(settings)))
}

fn missing_rights(settings: &Settings, text: &str) -> BrokerError {
    let prefix = &settings.prefix;
    let detail = format!("{text}; the user needs the right to publish and to subscribe to `{prefix}.>`");
    BrokerError::new(BrokerErrorKind::Rejected, detail)
}

fn unreachable(settings: &Settings, error: ConnectError) -> BrokerError {
    let (kind, advice) = match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => (
            BrokerErrorKind::Rejected,
            "; check user and password in the URL (`nats://user:password@host:port`), the token, the key or the credentials",
        ),
        ConnectErrorKind::Tls => {
            (BrokerErrorKind::Unavailable, "; does the certificate fit, and is the feature `tls` on?")
        }
        ConnectErrorKind::ServerParse => (BrokerErrorKind::Rejected, ""),
        ConnectErrorKind::TimedOut => (BrokerErrorKind::Unavailable, "; no server has answered within connect_timeout"),
        _ => (BrokerErrorKind::Unavailable, "; is the server running, and are host and port right?"),
    };
    BrokerError::new(kind, format!("{}: {error}{advice}", names(settings))).with_source(error)
}
