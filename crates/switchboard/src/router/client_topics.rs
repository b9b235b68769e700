//! Topics that clients subscribe to by themselves: the requests `$ws:subscribe` and `$ws:unsubscribe`.
//!
//! They are routes like those of the application, so order, deadlines, aborts and limits are the same.

use std::any::type_name;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use switchboard_core::{Event, Message, MessageSet, Request, Rpc, WsError};

use crate::{
    Conn, Handler,
    dispatch::{Handling, Needs, Route, Table},
    handler, middleware,
};

/// How a subscription begins. Only `live` is of use without a history.
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Live,
    Recover,
    Strict,
    Latest,
}

#[derive(Serialize, Deserialize)]
struct Subscribe {
    topic: String,
    mode: Option<Mode>,
    epoch: Option<Value>,
    offset: Option<Value>,
    rewind: Option<Value>,
}

#[derive(Serialize, Deserialize)]
struct Subscribed {
    topic: String,
}

#[derive(Serialize, Deserialize)]
struct Unsubscribe {
    topic: String,
}

#[derive(Serialize, Deserialize)]
struct Unsubscribed {
    topic: String,
}

macro_rules! messages {
    ($($message:ident $tag:literal $kind:ty;)*) => {$(
        impl Message for $message {
            type Kind = $kind;
            type Meta = ();
            const TYPE: &'static str = $tag;
        }
    )*};
}

messages! {
    Subscribe "$ws:subscribe" Rpc<Subscribed>;
    Subscribed "$ws:subscribed" Event;
    Unsubscribe "$ws:unsubscribe" Rpc<Unsubscribed>;
    Unsubscribed "$ws:unsubscribed" Event;
}

impl Request for Subscribe {
    type Response = Subscribed;
    type Progress = ();
}

impl Request for Unsubscribe {
    type Response = Unsubscribed;
    type Progress = ();
}

async fn subscribe<D, Out>(conn: Conn<D, Out>, request: Subscribe) -> Result<Subscribed, WsError>
where
    D: Send + Sync + 'static,
    Out: MessageSet,
{
    let Subscribe { topic, mode, epoch, offset, rewind } = request;
    if conn.must_identify() {
        return Err(WsError::unauthenticated("authenticate before you subscribe"));
    }
    let name = conn.hub().client_topic(&topic)?;
    if mode.is_some_and(|mode| mode != Mode::Live) || epoch.is_some() || offset.is_some() || rewind.is_some() {
        return Err(WsError::unimplemented("this topic keeps no history: subscribe with the mode \"live\""));
    }
    conn.subscribe(topic).await?;
    Ok(Subscribed { topic: name })
}

async fn unsubscribe<D, Out>(conn: Conn<D, Out>, request: Unsubscribe) -> Result<Unsubscribed, WsError>
where
    D: Send + Sync + 'static,
    Out: MessageSet,
{
    let topic = conn.hub().client_topic(&request.topic)?;
    conn.unsubscribe(request.topic).await?;
    Ok(Unsubscribed { topic })
}

/// Adds the routes.
pub(super) fn add<S, D, Out>(table: &mut Table<D>)
where
    S: Send + Sync + 'static,
    D: Send + Sync + 'static,
    Out: MessageSet,
{
    insert::<_, _, S, D, Out>(table, subscribe::<D, Out>);
    insert::<_, _, S, D, Out>(table, unsubscribe::<D, Out>);
}

fn insert<H, X, S, D, Out>(table: &mut Table<D>, handler: H)
where
    H: Handler<X, S, D, Out>,
    S: Send + Sync + 'static,
    D: Send + Sync + 'static,
    Out: MessageSet,
{
    let needs = Needs { keeps_frame: false, extensions: Vec::new() };
    let layers = middleware::Route::default();
    let (name, handler) = (type_name::<H>(), handler::erase(handler));
    table.insert(Route::new::<H::Message>(name, handler, Handling::default(), needs, H::describe, layers));
}
