//! `cluster-test node`: serves the application until its standard input ends.

use std::time::Duration;

use anyhow::{Result, bail};
use lexopt::prelude::*;
use switchboard::Hub;
use tokio::{net::TcpListener, sync::mpsc};

use super::{
    app::{Choice, app},
    bus::{Kind, Lossy, broker},
};
use crate::planted::Planted;

/// Over how long connections are closed when the node is drained.
const DRAIN: Duration = Duration::from_secs(1);

/// The options of a node.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// What the broker is.
    pub kind: Kind,
    /// The addresses of its servers.
    pub brokers: Vec<String>,
    /// A fault to plant.
    pub planted: Option<Planted>,
    /// The fault affects one in this many messages.
    pub one_in: u64,
}

impl NodeOptions {
    /// Reads the arguments behind `node`.
    ///
    /// # Errors
    ///
    /// If an option is unknown or has no value that makes sense.
    pub fn parse(mut parser: lexopt::Parser) -> Result<Self> {
        let mut options = Self { kind: Kind::Redis, brokers: Vec::new(), planted: None, one_in: 1 };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("kind") => options.kind = parser.value()?.parse()?,
                Long("broker") => options.brokers.push(parser.value()?.string()?),
                Long("planted") => options.planted = Some(parser.value()?.parse()?),
                Long("one-in") => options.one_in = parser.value()?.parse()?,
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(options)
    }

    /// Returns the arguments that [`parse`](Self::parse) reads.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--kind".to_owned(), self.kind.name().to_owned()];
        self.brokers.iter().for_each(|broker| arguments.extend(["--broker".to_owned(), broker.clone()]));
        if let Some(planted) = self.planted {
            let one_in = self.one_in.to_string();
            arguments.extend(["--planted".to_owned(), planted.to_string(), "--one-in".to_owned(), one_in]);
        }
        arguments
    }
}

/// Prints the address, and serves until the standard input ends. With the line `drain` the node is drained first.
///
/// # Errors
///
/// If the node cannot start.
pub async fn run(options: NodeOptions) -> Result<()> {
    let lossy = (options.planted == Some(Planted::Bus)).then_some(options.one_in);
    let broker = Lossy::new(broker(options.kind, &options.brokers)?, lossy);
    let hub = Hub::builder().broker(broker).build();
    let choice = Choice::new(options.planted, options.one_in);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?);
    let served = switchboard::serve(listener, app(&hub, choice));
    let mut commands = commands();
    let commands = async {
        match commands.recv().await.as_deref() {
            None => Ok(()),
            Some("drain") => {
                hub.drain(DRAIN).await;
                Ok(())
            }
            Some(other) => bail!("unknown command `{other}`; there is `drain`"),
        }
    };
    tokio::select! {
        served = served => Ok(served?),
        ended = commands => ended,
    }
}

/// Reads lines of the standard input in a thread, which the end of the process does not wait for.
fn commands() -> mpsc::Receiver<String> {
    let (sender, commands) = mpsc::channel(1);
    std::thread::spawn(move || {
        let lines = std::io::stdin().lines().map_while(Result::ok);
        lines.take_while(|line| sender.blocking_send(line.clone()).is_ok()).for_each(drop);
    });
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_they_are_written() {
        let options = NodeOptions {
            kind: Kind::Cluster,
            brokers: vec!["127.0.0.1:1".to_owned(), "127.0.0.1:2".to_owned()],
            planted: Some(Planted::Ghost),
            one_in: 7,
        };
        let read = NodeOptions::parse(lexopt::Parser::from_args(options.arguments())).unwrap();
        assert_eq!(format!("{read:?}"), format!("{options:?}"));
        assert!(NodeOptions::parse(lexopt::Parser::from_args(["--kind", "kafka"])).is_err());
    }
}
