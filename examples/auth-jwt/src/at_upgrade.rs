//! `/secure`, `/optional`, `/custom`, `/public`: the user is authenticated at the upgrade.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use switchboard::{AnyMessage, Authenticated, BearerToken, CloseCode, Conn, Identity, TokenSources, WsError, WsRouter};

use crate::{
    App, Shared,
    guards::{Admin, SignedIn},
    messages::{AdminAction, AdminActionSuccess, Me, WhoAmI},
    moderation,
    users::UserData,
};

/// The data of a connection: typed, and available from the first message on.
#[derive(Debug)]
pub(crate) struct Visitor {
    pub(crate) user: UserData,
    expires_in: Duration,
}

impl Visitor {
    fn anonymous() -> Self {
        Self { user: UserData::anonymous(), expires_in: Duration::ZERO }
    }

    /// For the library: the user of the connection, and when its authentication expires.
    fn identity(&self) -> Option<Identity> {
        self.user.authenticated.then(|| Identity::new(self.user.user_id.as_str()).expires_in(self.expires_in))
    }
}

/// Why a client may not connect.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Refused {
    BadToken,
    Banned,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::BadToken => (StatusCode::UNAUTHORIZED, "Invalid token").into_response(),
            Self::Banned => (StatusCode::FORBIDDEN, "Banned").into_response(),
        }
    }
}

pub(crate) fn secure() -> WsRouter<Shared, Visitor, AnyMessage, Authenticated> {
    for_visitors().tokens(token_sources()).authenticate(with_token)
}

pub(crate) fn custom() -> WsRouter<Shared, Visitor, AnyMessage, Authenticated> {
    let in_own_header = |parts: &Parts| parts.headers.get("x-auth-token")?.to_str().ok().map(str::to_owned);
    for_visitors().tokens(TokenSources::none().custom(in_own_header)).authenticate(with_token)
}

pub(crate) fn optional() -> WsRouter<Shared, Visitor, AnyMessage, Authenticated> {
    for_visitors().on(admin_action).tokens(token_sources()).authenticate(with_token_or_not)
}

/// No `authenticate`: the data of connections is `()`, so no user can be taken from it.
pub(crate) fn public() -> WsRouter<Shared> {
    WsRouter::new().on(async |conn: Conn, _: WhoAmI| Me { user: None, topics: conn.topics() })
}

/// Header, cookie, query, subprotocol: the first one present is used.
fn token_sources() -> TokenSources {
    TokenSources::new().cookie("auth_token").query("token")
}

/// The settings that the routes with users share.
fn for_visitors() -> WsRouter<Shared, Visitor> {
    WsRouter::new().identify(Visitor::identity).on_open(opened).on(who_am_i).on_close(closed)
}

/// Not reached without a token, which is a 401 already.
async fn with_token(token: BearerToken, State(app): State<Shared>) -> Result<Visitor, Refused> {
    visitor(&app, &token)
}

async fn with_token_or_not(token: Option<BearerToken>, State(app): State<Shared>) -> Result<Visitor, Infallible> {
    Ok(token.and_then(|token| visitor(&app, &token).ok()).unwrap_or_else(Visitor::anonymous))
}

fn visitor(app: &App, token: &BearerToken) -> Result<Visitor, Refused> {
    let verified = app.tokens.verify(token.as_str()).ok_or(Refused::BadToken)?;
    if app.people.is_banned(&verified.user.user_id) {
        return Err(Refused::Banned);
    }
    Ok(Visitor { user: verified.user, expires_in: verified.expires_in })
}

async fn opened(conn: Conn<Visitor>, State(app): State<Shared>) -> Result<(), WsError> {
    let user = &conn.data().user;
    if !user.authenticated {
        return Ok(());
    }
    if app.people.enter(&user.user_id, conn.id()).is_err() {
        // The user was banned since the upgrade.
        conn.close(CloseCode::FORBIDDEN, "Banned");
        return Ok(());
    }
    for topic in user.topics() {
        conn.subscribe(topic).await?;
    }
    Ok(())
}

async fn who_am_i(conn: Conn<Visitor>, _: WhoAmI) -> Me {
    Me { user: Some(conn.data().user.clone()), topics: conn.topics() }
}

/// Extractors run in the order of the arguments. The first that refuses ends the chain.
async fn admin_action(
    _: SignedIn,
    _: Admin,
    conn: Conn<Visitor>,
    State(app): State<Shared>,
    mut msg: AdminAction,
) -> Result<AdminActionSuccess, WsError> {
    msg.reason.get_or_insert_with(|| "No reason provided".into());
    moderation::carry_out(conn.hub(), &app.people, msg).await
}

async fn closed(conn: Conn<Visitor>, State(app): State<Shared>) {
    app.people.leave(&conn.data().user.user_id, conn.id());
}
