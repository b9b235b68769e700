//! A client that tests start where they are not themselves, as in another network: sends the text frames of its
//! command line, `ws-client URL TEXT…`, and prints those that come, a line each, until it is killed.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, Message},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<Error>> {
    let mut args = std::env::args().skip(1);
    let (mut ws, _) = connect_async(args.next().unwrap_or_default()).await?;
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
