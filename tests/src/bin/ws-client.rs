//! A client that tests run in another network namespace. `ws-client HOST:PORT PATH FROM TEXT…`
//! connects from the address `FROM`, sends the text frames of its command line, and prints received
//! ones, a line each, until it is killed.

use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpSocket;
use tokio_tungstenite::{client_async, tungstenite::Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut next = || args.next().ok_or("HOST:PORT PATH FROM TEXT…");
    let (server, path, from): (SocketAddr, _, IpAddr) = (next()?.parse()?, next()?, next()?.parse()?);
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    let stream = socket.connect(server).await?;
    let (mut ws, _) = client_async(format!("ws://{server}{path}"), stream).await?;
    for text in args {
        ws.send(Message::text(text)).await?;
    }
    // Reading answers pings, too.
    while let Some(frame) = ws.next().await {
        if let Message::Text(text) = frame? {
            print(&text);
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "its caller reads this line")]
fn print(text: &str) {
    println!("{text}");
}
