//! Connections without sockets, whose messages stay in their queues.

use std::sync::Arc;

use crate::{
    Config, Conn, Hub, WsRouter,
    conn::{AnyConn, ConnInner, ConnOrigin, Dialect, UpgradeValues},
    hub::{Filter, Operation},
};

fn inner(hub: &Hub, config: Config) -> Arc<ConnInner<()>> {
    let router = WsRouter::<()>::new().hub(hub.clone()).config(config).mount();
    Arc::new(ConnInner::new(ConnOrigin {
        settings: Arc::clone(router.settings()),
        state: Arc::new(()),
        kept: UpgradeValues::default(),
        remote_addr: None,
        client_ip: None,
        dialect: Dialect { standard: true, ..Dialect::default() },
        permit: None,
        data: (),
    }))
}

pub(crate) fn member(hub: &Hub) -> Arc<AnyConn> {
    inner(hub, Config::new())
}

/// Creates a connection. Returns its handle and its inner state.
pub(crate) fn conn(hub: &Hub, config: Config) -> (Conn, Arc<AnyConn>) {
    let inner = inner(hub, config);
    (Conn::new(Arc::clone(&inner)), inner)
}

/// Subscribes to a topic without an authorization rule.
pub(crate) fn join(hub: &Hub, conn: &Arc<AnyConn>, topic: &str, mut filter: Option<Filter>) {
    let request = hub.subscription_request(conn, [topic], Operation::Join).unwrap();
    hub.change_now(conn, &request, &mut filter).unwrap().unwrap();
}

/// Unsubscribes. Returns whether there was such a subscription.
pub(crate) fn leave(hub: &Hub, conn: &Arc<AnyConn>, topic: &str) -> bool {
    let request = hub.subscription_request(conn, [topic], Operation::Leave).unwrap();
    !hub.change_now(conn, &request, &mut None).unwrap().unwrap().left.is_empty()
}

/// Takes the payloads of the queued frames, which must be shorter than 126 bytes.
pub(crate) fn received(conn: &AnyConn) -> Vec<String> {
    let frames = std::iter::from_fn(|| conn.outbox.pop());
    frames.map(|frame| String::from_utf8_lossy(&frame.wire()[2..]).into_owned()).collect()
}
