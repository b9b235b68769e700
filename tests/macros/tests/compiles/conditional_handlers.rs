//! `#[cfg]` and `#[cfg_attr]` on methods and arguments of handlers. Nothing here is built for `none`.
#![deny(warnings)]

use switchboard::{Conn, WsError, WsRouter, ws_handler, ws_handlers, ws_message};

#[ws_message("JOIN")]
struct Join {}

#[ws_message("LEAVE")]
struct Leave {}

#[ws_message("KICK")]
struct Kick {}

#[ws_message("STAY")]
struct Stay {}

struct Chat;

#[ws_handlers]
impl Chat {
    #[cfg(target_os = "none")]
    async fn gone(&self, _: NotEvenAType) {}

    #[cfg_attr(not(target_os = "none"), cfg(target_os = "none"))]
    async fn gone_too(&self, _: NotEvenAType) {}

    #[cfg(not(target_os = "none"))]
    async fn join(&self, #[cfg(target_os = "none")] gone: NotEvenAType, conn: Conn, _: Join) -> Result<(), WsError> {
        Ok(conn.send(Join {})?)
    }

    /// Which of both it is depends.
    #[cfg(target_os = "none")]
    async fn leave(&self, _: NotEvenAType) {}

    #[cfg(not(target_os = "none"))]
    async fn leave(
        #[cfg(not(target_os = "none"))] &self,
        #[cfg_attr(not(target_os = "none"), cfg(target_os = "none"))] gone: NotEvenAType,
        #[cfg(not(target_os = "none"))] conn: Conn,
        #[cfg(not(target_os = "none"))] _: Leave,
    ) {
        drop(conn);
    }

    #[cfg_attr(not(target_os = "none"), ws(on_open))]
    async fn opened(&self, conn: Conn) {
        drop(conn);
    }

    #[cfg_attr(not(target_os = "none"), ws(skip))]
    async fn helper(&self, _: u8) {}

    #[cfg_attr(not(target_os = "none"), cfg_attr(not(target_os = "none"), ws(on)))]
    #[cfg_attr(target_os = "none", ws(skip))]
    async fn kick(&self, _: Kick) {
        self.helper(1).await;
        let number = match 1 {
            #[cfg(target_os = "none")]
            1 => NotEvenAValue,
            number => number,
        };
        self.helper(number).await;
    }
}

#[ws_handler]
async fn stay(#[cfg(target_os = "none")] gone: NotEvenAType, conn: Conn, _: Stay) {
    drop(conn);
}

// Two blocks in one module.
struct Other;

#[ws_handlers]
impl Other {
    async fn join(&self, #[cfg(target_os = "none")] gone: NotEvenAType, _: Join) {}
}

#[test]
fn handlers_may_be_conditional() {
    let router: WsRouter = Chat.router().on(stay);
    drop((router, Other.router()));
}
