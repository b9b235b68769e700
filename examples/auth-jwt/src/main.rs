//! Serves the example on 127.0.0.1, on the port in `PORT`, 3000 by default. `JWT_SECRET` is the key
//! of the tokens; without it, tokens are valid until the server stops.

use std::{env, io};

use auth_jwt::Options;
use tokio::net::TcpListener;

/// A shorter key could be guessed from one token.
const MIN_SECRET_BYTES: usize = 32;

#[tokio::main]
async fn main() -> io::Result<()> {
    let port = match env::var("PORT") {
        Ok(port) => port.parse().map_err(|_| io::Error::other(format!("PORT is not a port: {port}")))?,
        Err(_) => 3000,
    };
    let options = match env::var("JWT_SECRET") {
        Ok(secret) if secret.len() < MIN_SECRET_BYTES => {
            return Err(io::Error::other(format!("JWT_SECRET needs {MIN_SECRET_BYTES} bytes or more")));
        }
        Ok(secret) => Options::new().secret(secret),
        Err(_) => Options::new(),
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    announce(&listener)?;
    switchboard::serve(listener, options.router()).await
}

#[expect(clippy::print_stdout, reason = "tests and scripts wait for this line")]
fn announce(listener: &TcpListener) -> io::Result<()> {
    println!("listening on http://{}", listener.local_addr()?);
    Ok(())
}
