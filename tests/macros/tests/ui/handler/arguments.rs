#![allow(unused)]

use axum::extract::State;
use switchboard::{Conn, ws_handler, ws_message};

#[derive(Clone)]
struct App;

struct User;

#[ws_message("JOIN")]
struct Join {}

#[ws_handler(state = App, data = User)]
async fn no_extractor(text: String, msg: Join) {}

#[ws_handler(state = App, data = User)]
async fn other_data(conn: Conn<u8>, msg: Join) {}

#[ws_handler(state = App, data = User)]
async fn other_state(State(other): State<u8>, conn: Conn<User>, msg: Join) {}

#[ws_handler(data = User)]
async fn all_of_them(State(app): State<App>, conn: Conn<User>, text: String, msg: Join) {}

#[ws_handler]
async fn message_not_last(msg: Join, conn: Conn<User>) {}

#[ws_handler]
async fn no_message(text: String) {}

fn main() {}
