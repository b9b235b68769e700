//! One node of the application: what runs in production, any number of times.

mod handlers;
mod http;
mod messages;
mod pulse;
mod rooms;
mod session;
mod settings;

use std::{
    convert::Infallible,
    error::Error,
    fmt,
    future::Future,
    io,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicU64},
};

use axum::Router;
use switchboard::{Contract, Hub, HubBuilder, WsRouter, cluster::Broker, ws_route};
use switchboard_nats::NatsBroker;
use switchboard_redis::RedisBroker;
use tokio::net::TcpListener;

pub(crate) use self::http::Status;
pub use self::settings::{Settings, SettingsError, VARIABLES, Variable};
use self::{
    handlers::Node,
    http::Monitored,
    messages::{Here, Joined, Left, LinkChanged, MemberTyping, Message, Rooms, Welcome},
    pulse::Pulse,
    session::Session,
};

/// Returns the contract of the WebSocket, from which the client of the page is generated.
pub fn contract() -> Contract {
    router(&Arc::default(), "node", &Arc::default()).contract("/ws")
}

/// Serves one node until `stop` is ready. Then new clients are refused, connections are closed over
/// [the time of the settings](Settings), and their clients go to other nodes.
///
/// # Errors
///
/// If the URL of the broker or the address does not fit. A broker that is not reachable is no error: the node serves, and
/// connects when the broker is there.
pub(crate) async fn serve(
    settings: Settings,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), NodeError> {
    let Settings { name, bind, broker_url, drain } = settings;
    let hub = with_broker(Hub::builder(), &broker_url)?.build();
    let listener = TcpListener::bind(bind).await.map_err(|error| NodeError::Bind(bind, error))?;
    let address = listener.local_addr().map_err(|error| NodeError::Bind(bind, error))?;
    tracing::info!(node = name, %address, "serving");

    let (pulse, published) = (Arc::new(Pulse::default()), Arc::new(AtomicU64::new(0)));
    let app = app(&hub, &pulse, &name, &published);
    let shutdown = {
        let hub = hub.clone();
        async move {
            stop.await;
            hub.drain(drain).await;
        }
    };
    tokio::select! {
        served = switchboard::serve(listener, app).with_graceful_shutdown(shutdown) => {
            served.map_err(|error| NodeError::Bind(bind, error))
        }
        () = pulse.run(&hub) => Ok(()),
    }
}

fn with_broker(builder: HubBuilder, url: &str) -> Result<HubBuilder, NodeError> {
    fn built(broker: Result<impl Broker, impl Error + Send + Sync + 'static>) -> Result<impl Broker, NodeError> {
        broker.map_err(|error| NodeError::Broker(Box::new(error)))
    }
    Ok(if url.starts_with("nats://") {
        builder.broker(built(NatsBroker::builder(url).prefix(PREFIX).build())?)
    } else {
        builder.broker(built(RedisBroker::builder(url).prefix(PREFIX).build())?)
    })
}

/// What the names of channels begin with: other applications can use the same broker.
const PREFIX: &str = "rooms";

/// Returns the whole application: the page, the WebSocket at `/ws` and the routes for monitoring.
fn app(hub: &Hub, pulse: &Arc<Pulse>, name: &str, published: &Arc<AtomicU64>) -> Router {
    let ws = router(pulse, name, published)
        .hub(hub.clone())
        // Every client may connect. Who it is, it says with ENTER.
        .authenticate(async || Ok::<_, Infallible>(Session::default()));
    let monitored = Monitored { name: name.into(), hub: hub.clone(), published: Arc::clone(published) };
    http::with_layers(http::router(monitored).route("/ws", ws_route(ws)))
}

/// The handlers, and the messages that they send.
fn router(pulse: &Arc<Pulse>, name: &str, published: &Arc<AtomicU64>) -> WsRouter<(), Session> {
    Node::new(name.into(), Arc::clone(pulse), Arc::clone(published))
        .router()
        .emits::<Welcome>()
        .emits::<Rooms>()
        .emits::<LinkChanged>()
        .emits::<Joined>()
        .emits::<Left>()
        .emits::<Here>()
        .emits::<Message>()
        .emits::<MemberTyping>()
}

/// Why a node did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum NodeError {
    /// The broker's URL does not fit.
    Broker(Box<dyn Error + Send + Sync>),
    /// The address cannot be listened on.
    Bind(SocketAddr, io::Error),
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broker(error) => write!(f, "BROKER_URL does not fit: {error}"),
            Self::Bind(address, error) => write!(f, "cannot serve on {address}: {error}; set BIND to another address"),
        }
    }
}

impl Error for NodeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Broker(error) => Some(error.as_ref()),
            Self::Bind(_, error) => Some(error),
        }
    }
}
