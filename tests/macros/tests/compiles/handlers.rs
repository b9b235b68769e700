//! Impl blocks of handlers.
#![deny(warnings, missing_docs, unreachable_pub)]

use axum::{Router, extract::State};
use switchboard::{
    BearerToken, CloseReason, Conn, Failure, WsError, WsMessages, WsRouter, ws_handler, ws_handlers, ws_message,
    ws_route, ws_rpc,
};

#[derive(Clone)]
struct App;

struct User;

#[ws_message("JOIN")]
struct Join {
    room: String,
}

#[ws_message("SUM")]
struct Sum {
    result: f64,
}

#[ws_rpc("ADD", response = Sum)]
struct Add {
    a: f64,
}

#[ws_message("HIDDEN")]
struct Hidden;

#[derive(WsMessages)]
enum ServerMessage {
    Join(Join),
    Sum(Sum),
}

struct Chat {
    rooms: Vec<String>,
}

#[ws_handlers(state = App, data = User)]
impl Chat {
    async fn join(&self, conn: Conn<User>, State(_): State<App>, mut msg: Join) -> Result<(), WsError> {
        msg.room.push('!');
        let known = self.find(&msg.room).await;
        conn.send(msg)?;
        assert!(known.is_none());
        Ok(())
    }

    #[ws(on)]
    async fn add(msg: Add) -> Result<Sum, WsError> {
        Ok(Sum { result: msg.a })
    }

    #[cfg(any())]
    async fn hidden(&self, _: NotEvenAType) {}

    #[cfg(not(target_os = "none"))]
    async fn shown(&self, _: Hidden) {}

    #[ws(skip)]
    async fn find(&self, name: &str) -> Option<&String> {
        self.rooms.iter().find(|room| *room == name)
    }

    #[ws(on_open)]
    async fn opened(&self, conn: Conn<User>) -> Result<(), WsError> {
        drop((conn, self.rooms.len()));
        Ok(())
    }

    #[ws(on_close)]
    async fn closed(conn: Conn<User>, reason: CloseReason) {
        drop((conn, reason));
    }

    #[ws(on_error)]
    async fn failed(&self, failure: Failure) {
        drop((failure, self.rooms.len()));
    }

    fn count(&self) -> usize {
        self.rooms.len()
    }
}

/// Public.
pub struct Math;

#[ws_handlers(out = ServerMessage)]
impl Math {
    async fn add(&self, conn: Conn<(), ServerMessage>, msg: Add) -> Sum {
        drop(conn);
        Sum { result: msg.a }
    }
}

/// Private types in its signature.
pub struct Secretive;

#[ws_handlers(state = App, data = User)]
impl Secretive {
    async fn join(&self, msg: Join) -> Join {
        msg
    }
}

macro_rules! block {
    ($Type:ident, $method:ident, $msg:ident, $($body:tt)*) => {
        struct $Type;

        #[ws_handlers]
        impl $Type {
            async fn $method(&self, $msg: Join) $($body)*
        }
    };
}
block!(InMacro, join, msg, {
    drop(msg);
});

#[ws_handler(state = App, data = User)]
async fn join(conn: Conn<User>, State(app): State<App>, msg: Join) -> Result<(), WsError> {
    drop((conn, app, msg));
    Ok(())
}

#[ws_handler]
async fn add(msg: Add) -> Sum {
    Sum { result: msg.a }
}

#[test]
fn blocks_of_handlers() {
    let chat = Chat { rooms: Vec::new() };
    assert_eq!(chat.count(), 0);
    let router = chat.router().authenticate(async |_: BearerToken| Ok::<_, axum::http::StatusCode>(User));
    let app: Router = Router::new().route("/ws", ws_route(router)).with_state(App);
    drop((app, Math.router(), InMacro.router(), Secretive.router()));
    let _: WsRouter<App, User> = WsRouter::new().on(join).on(add);
}
