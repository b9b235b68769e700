//! The command line.

use std::path::PathBuf;

use anyhow::{Result, bail};
use lexopt::prelude::*;

use crate::{
    planted::Planted,
    run::{BROKERS, BrokerName, FAULTS, Fault, RunOptions, Size},
};

/// The help text.
pub const USAGE: &str = "\
Runs nodes on real brokers with faults, and checks what their clients saw

Usage: cargo xtask cluster-test [options]

Options:
  --broker NAME    redis, valkey, nats, nats-new, sentinel, cluster or all (default)
  --fault NAME     only this one: broker-restart, broker-pause, node-kill, pause-10, pause-30, cut-up, cut-down, cut, delay,
                   reset, slow, drain, slot-move (cluster) or failover (sentinel)
  --short          the form of `cargo xtask test`: redis, nats, sentinel and cluster, several faults in one run
  --seed N         chooses topics, homes and victims (default: 1)
  --planted NAME   plants a fault that must be found: drop, twice, reorder, swap, forget, refuse, hang, ghost; or one that the
                   nodes must tell: bus
  --one-in N       one in so many has the planted fault (default: 10000 deliveries, 300 publishes or messages of the bus)
  --folder PATH    where histories and logs of failed runs are kept (default: target/cluster-test)
";

/// What `--short` runs. Each run recovers from a fault before the next.
const SHORT: [(BrokerName, &[Fault]); 4] = [
    (BrokerName::Redis, &[Fault::BrokerRestart, Fault::NodeKill, Fault::CutDown, Fault::Reset, Fault::Drain]),
    (BrokerName::Nats, &[Fault::BrokerRestart, Fault::Pause, Fault::CutUp, Fault::Reset]),
    (BrokerName::Sentinel, &[Fault::Failover]),
    (BrokerName::Cluster, &[Fault::SlotMove]),
];

/// The options.
#[derive(Debug, Default)]
pub struct Options {
    broker: Option<BrokerName>,
    fault: Option<Fault>,
    is_short: bool,
    seed: Option<u64>,
    planted: Option<Planted>,
    one_in: Option<u64>,
    folder: Option<PathBuf>,
}

impl Options {
    /// Reads the command line. `None` if help is asked for.
    ///
    /// # Errors
    ///
    /// If an option is unknown or has no value that makes sense.
    pub fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>> {
        let mut options = Self::default();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("broker") => {
                    let name = parser.value()?.string()?;
                    options.broker = if name == "all" { None } else { Some(name.parse().map_err(anyhow::Error::msg)?) };
                }
                Long("fault") => options.fault = Some(parser.value()?.parse()?),
                Long("short") => options.is_short = true,
                Long("seed") => options.seed = Some(parser.value()?.parse()?),
                Long("planted") => options.planted = Some(parser.value()?.parse()?),
                Long("one-in") => options.one_in = Some(parser.value()?.parse()?),
                Long("folder") => options.folder = Some(parser.value()?.into()),
                Short('h') | Long("help") => return Ok(None),
                other => return Err(other.unexpected().into()),
            }
        }
        if options.is_short && options.fault.is_some() {
            bail!("`--short` has its own faults: leave out `--fault`");
        }
        Ok(Some(options))
    }

    /// Returns the runs. `program` is that of the nodes.
    ///
    /// # Errors
    ///
    /// If the fault cannot happen to the broker.
    pub fn runs(&self, program: &std::path::Path) -> Result<Vec<RunOptions>> {
        let chosen: Vec<(BrokerName, Vec<Fault>)> = if self.is_short {
            let is_chosen = |broker: BrokerName| self.broker.is_none_or(|chosen| chosen == broker);
            SHORT
                .iter()
                .filter(|(broker, _)| is_chosen(*broker))
                .map(|(broker, faults)| (*broker, faults.to_vec()))
                .collect()
        } else {
            let brokers = self.broker.map_or_else(|| BROKERS.to_vec(), |broker| vec![broker]);
            brokers.into_iter().flat_map(|broker| self.faults(broker).map(move |faults| (broker, faults))).collect()
        };
        if chosen.is_empty() {
            let broker = self.broker.map_or("all", BrokerName::name);
            bail!("there is nothing to run: this fault cannot happen to `{broker}`, or it is not in the short form");
        }
        let of_delivery =
            matches!(self.planted, Some(Planted::Drop | Planted::Twice | Planted::Reorder | Planted::Swap));
        let one_in = self.one_in.unwrap_or(if of_delivery { 10_000 } else { 300 });
        let run = |(broker, faults)| RunOptions {
            broker,
            faults,
            seed: self.seed.unwrap_or(1),
            size: if self.planted.is_some() { Size { calm: CALM, ..Size::FULL } } else { Size::FULL },
            planted: self.planted,
            one_in,
            program: program.to_owned(),
            folder: self.folder.clone().unwrap_or_else(|| "target/cluster-test".into()),
        };
        Ok(chosen.into_iter().map(run).collect())
    }

    /// The faults of each run on a broker.
    fn faults(&self, broker: BrokerName) -> impl Iterator<Item = Vec<Fault>> + use<> {
        let runs = match (self.fault, self.planted) {
            (Some(fault), _) => vec![vec![fault]],
            // Only a user that has left shows it.
            (None, Some(Planted::Ghost)) => vec![vec![Fault::NodeKill]],
            (None, Some(_)) => vec![Vec::new()],
            (None, None) => FAULTS.iter().map(|(_, fault)| vec![*fault]).collect(),
        };
        runs.into_iter().filter(move |faults| faults.iter().all(|fault| fault.fits(broker)))
    }
}

/// How long a run with a planted fault goes on.
const CALM: std::time::Duration = std::time::Duration::from_secs(20);
