//! `/ws`: every client may connect, and authenticates with a message.

use std::{convert::Infallible, sync::Mutex, time::Duration};

use axum::extract::State;
use switchboard::{
    AnyMessage, Authenticated, BoxError, CloseCode, Config, Conn, ErrorCode, Identity, WsError, WsRouter,
};

use crate::{
    Shared, http, lock,
    messages::{
        AdminAction, AdminActionSuccess, Auth, AuthSuccess, Break, Login, Me, ModAction, WatchRoom, Watching, WhoAmI,
    },
    moderation,
    tokens::Verified,
    users::{self, UserData},
};

/// The data of a connection. Only its own handlers change it, one at a time.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) user: Mutex<UserData>,
}

type Client = Conn<Session>;

pub(crate) fn ws(identify_timeout: Duration) -> WsRouter<Shared, Session, AnyMessage, Authenticated> {
    WsRouter::new()
        // A client that has not authenticated by then is closed with 1008 "Authentication
        // required".
        .config(Config::new().identify_timeout(identify_timeout))
        .authenticate(async || Ok::<_, Infallible>(Session { user: Mutex::new(UserData::anonymous()) }))
        .on(auth)
        .on(login)
        .on(who_am_i)
        .on(admin_action)
        .on(watch_room)
        .on(mod_action)
        .on(break_down)
        .on_error(http::failed)
        .on_close(closed)
}

async fn auth(client: Client, State(app): State<Shared>, msg: Auth) -> Result<AuthSuccess, WsError> {
    let Some(Verified { user, expires_in }) = app.tokens.verify(&msg.token) else {
        // The error is sent before the close frame.
        client.close(CloseCode::POLICY, "Invalid token");
        return Err(WsError::unauthenticated("Invalid token"));
    };
    let identity = Identity::new(user.user_id.as_str()).expires_in(expires_in);
    sign_in(&client, &app, user, identity).await
}

async fn login(client: Client, State(app): State<Shared>, msg: Login) -> Result<AuthSuccess, WsError> {
    let user = users::check_password(&msg.username, &msg.password)
        .await
        // The client learns that it failed, and the log why.
        .map_err(|error| WsError::new(ErrorCode::Internal, "Login failed").with_source(error))?
        .ok_or_else(|| WsError::unauthenticated("Invalid credentials"))?;
    let identity = Identity::new(user.user_id.as_str());
    sign_in(&client, &app, user, identity).await
}

/// Assigns the connection to this user. It cannot change to another one.
async fn sign_in(client: &Client, app: &Shared, user: UserData, identity: Identity) -> Result<AuthSuccess, WsError> {
    client.identify(identity)?;
    if app.people.enter(&user.user_id, client.id()).is_err() {
        client.close(CloseCode::FORBIDDEN, "Banned");
        return Err(WsError::permission_denied("You are banned"));
    }
    let topics = user.topics();
    // A newer token may have other roles.
    let is_old = |topic: &&String| !topic.starts_with("room:") && !topics.contains(topic);
    for old in client.topics().iter().filter(is_old) {
        client.unsubscribe(old).await?;
    }
    for topic in topics {
        client.subscribe(topic).await?;
    }
    *lock(&client.data().user) = user.clone();
    Ok(AuthSuccess { user_id: user.user_id, username: user.username, roles: user.roles })
}

async fn who_am_i(client: Client, _: WhoAmI) -> Me {
    Me { user: Some(lock(&client.data().user).clone()), topics: client.topics() }
}

async fn admin_action(
    client: Client,
    State(app): State<Shared>,
    msg: AdminAction,
) -> Result<AdminActionSuccess, WsError> {
    let user = lock(&client.data().user).clone();
    if !user.authenticated {
        return Err(WsError::unauthenticated("Not authenticated"));
    }
    if !user.is_admin() {
        return Err(WsError::permission_denied("Admin access required"));
    }
    moderation::carry_out(client.hub(), &app.people, msg).await
}

async fn watch_room(client: Client, msg: WatchRoom) -> Result<Watching, WsError> {
    client.subscribe(format!("room:{}", msg.room_id)).await?;
    Ok(Watching { room_id: msg.room_id })
}

/// The topic's rule decides who may subscribe.
async fn mod_action(client: Client, msg: ModAction) -> Result<(), WsError> {
    client.publish(format!("room:{}", msg.room_id), msg).await?;
    Ok(())
}

/// Fails with an error of another crate, whose text is for the log and not for clients.
async fn break_down(_: Break) -> Result<(), WsError> {
    let parse = || -> Result<u8, BoxError> { Ok("not a number".parse()?) };
    parse().map_err(|error| WsError::new(ErrorCode::Internal, "internal error").with_source(error))?;
    Ok(())
}

async fn closed(client: Client, State(app): State<Shared>) {
    // Not read from the session, whose user is set last when a client signs in.
    if let Some(user_id) = client.user() {
        app.people.leave(&user_id, client.id());
    }
}
