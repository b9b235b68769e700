//! Serves the example on 127.0.0.1, on the port in `PORT`, 3000 by default.

use std::{
    env,
    io::{Error, Result},
    net::Ipv4Addr,
};

use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<()> {
    let port = match env::var("PORT") {
        Ok(text) => text.parse().map_err(|_| Error::other(format!("PORT must be a port, not {text:?}")))?,
        Err(_) => 3000,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    announce(listener.local_addr()?.port());
    switchboard::serve(listener, upload::app()).await
}

#[expect(clippy::print_stdout, reason = "tests and scripts wait for this line")]
fn announce(port: u16) {
    println!("listening on http://127.0.0.1:{port}");
}
