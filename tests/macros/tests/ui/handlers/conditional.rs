//! Mistakes behind conditions are those without.
#![allow(unused)]

use switchboard::{Conn, ws_handler, ws_handlers, ws_message};

#[ws_message("JOIN")]
struct Join {}

struct Chat;

#[ws_handlers]
impl Chat {
    #[cfg_attr(not(target_os = "none"), ws(on_opend))]
    async fn misspelt(&self, conn: Conn) {}

    async fn nothing_left(&self, #[cfg(target_os = "none")] msg: Join) {}

    #[ws(on)]
    async fn marked(&self, #[cfg(target_os = "none")] msg: Join) {}
}

#[ws_handler]
async fn none(#[cfg(target_os = "none")] msg: Join) {}

fn main() {}
