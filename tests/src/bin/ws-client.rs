//! A client that tests start where they are not themselves, as in another network: sends the text frames of its
//! command line, `ws-client HOST:PORT PATH FROM TEXT…`, and prints those that come, a line each, until it is killed. It
//! connects from the address `FROM`.

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
    // Pings are answered meanwhile.
    while let Some(frame) = ws.next().await {
        if let Message::Text(text) = frame? {
            print(&text);
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what its caller reads")]
fn print(text: &str) {
    println!("{text}");
}
