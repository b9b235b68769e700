//! Serves the example on 127.0.0.1, on the port in `PORT`, 3000 by default.

use std::{env, io};

use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> io::Result<()> {
    let port = match env::var("PORT") {
        Ok(port) => port.parse().map_err(|_| io::Error::other(format!("PORT is not a port: {port}")))?,
        Err(_) => 3000,
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    announce(&listener)?;
    switchboard::serve(listener, typed_client::app()).await
}

#[expect(clippy::print_stdout, reason = "tests and scripts wait for this line")]
fn announce(listener: &TcpListener) -> io::Result<()> {
    println!("listening on http://{}", listener.local_addr()?);
    Ok(())
}
