//! One run: a broker, nodes, clients, faults, and the verdict.

mod brokers;
mod cluster;
mod crowd;
mod faults;
mod report;
mod stalls;

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

pub use self::{
    brokers::{BROKERS, BrokerName},
    faults::{FAULTS, Fault},
    report::{Report, summary},
};
use self::{cluster::Cluster, crowd::Crowd, stalls::Stalls};
use crate::{
    clients::{Asker, Phase, World},
    history::{Client, History, Recorder},
    judge::{
        Finding, Rule, judge,
        promises::{ANSWER, RECOVERY, SLACK, TOLD},
    },
    planted::Planted,
    random::Random,
};

/// What to run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The broker.
    pub broker: BrokerName,
    /// The faults, one after the other.
    pub faults: Vec<Fault>,
    /// From which everything random follows, as far as processes allow.
    pub seed: u64,
    /// How much there is of everything.
    pub size: Size,
    /// A fault to plant, to test the checker.
    pub planted: Option<Planted>,
    /// One in so many messages, publishes or deliveries has it.
    pub one_in: u64,
    /// The program of the checker, which is that of the nodes, too.
    pub program: PathBuf,
    /// Where logs and histories of failed runs are kept.
    pub folder: PathBuf,
}

/// How much there is of everything.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Nodes.
    pub nodes: usize,
    /// Subscribers.
    pub members: usize,
    /// Publishers.
    pub publishers: usize,
    /// Topics.
    pub topics: usize,
    /// Topics of each subscriber.
    pub topics_of_member: usize,
    /// Topics of each publisher.
    pub topics_of_publisher: usize,
    /// The time between two publishes of a publisher.
    pub pause: Duration,
    /// How long the run goes on without faults before the first.
    pub calm: Duration,
}

impl Size {
    /// 30 publishers and 300 members on three nodes.
    pub const FULL: Self = Self {
        nodes: 3,
        members: 300,
        publishers: 30,
        topics: 30,
        topics_of_member: 3,
        topics_of_publisher: 5,
        pause: Duration::from_millis(200),
        calm: Duration::from_secs(3),
    };

    /// For tests of the checker.
    pub const SMALL: Self = Self {
        nodes: 2,
        members: 20,
        publishers: 6,
        topics: 4,
        topics_of_member: 2,
        topics_of_publisher: 3,
        pause: Duration::from_millis(25),
        calm: Duration::from_secs(3),
    };
}

/// How long nodes may take to find each other, and clients to be subscribed.
const START: Duration = Duration::from_secs(30);

/// How long after the recovery from a fault the run goes on, so that what was published then is judged, too.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// Runs once, and judges.
///
/// # Errors
///
/// If something does not start or cannot be written. What the nodes do wrong is in the report.
///
/// # Panics
///
/// If a server is not installed or does not start.
pub async fn run(options: &RunOptions) -> Result<Report> {
    let began = Instant::now();
    let faults = options.faults.iter().map(|fault| fault.name()).collect::<Vec<_>>().join("+");
    let folder = options.folder.join(format!("{}-{}-{}", options.broker, name_of(&faults, options), options.seed));
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let recorder = Recorder::new(options.planted, options.one_in);
    let mut hangs = Vec::new();
    let history = record(options, &recorder, &folder, &mut hangs).await?;
    let (mut verdict, history) = tokio::task::spawn_blocking(move || (judge(&history), history)).await?;
    verdict.findings.splice(0..0, hangs);
    if verdict.findings.is_empty() {
        fs::remove_dir_all(&folder)?;
    } else {
        write(&folder, &history, &verdict.findings)?;
    }
    let kept = (!verdict.findings.is_empty()).then_some(folder);
    Ok(Report { broker: options.broker, faults, verdict, took: began.elapsed(), kept })
}

fn name_of(faults: &str, options: &RunOptions) -> String {
    match (options.planted, &options.faults[..]) {
        (Some(planted), _) => format!("planted-{planted}"),
        (None, []) => "calm".to_owned(),
        (None, [_]) => faults.to_owned(),
        (None, _) => "short".to_owned(),
    }
}

/// Lets everything happen. What the checker has waited for in vain is added to `hangs`.
async fn record(options: &RunOptions, recorder: &Recorder, folder: &Path, hangs: &mut Vec<Finding>) -> Result<History> {
    let mut hang = |text: String| hangs.push(Finding { rule: Rule::Hang, text });
    let mut cluster = Cluster::start(options, recorder.clone(), folder).await?;
    let stalls = Stalls::watch(recorder.clone());
    let (phase, phases) = watch::channel(Phase::Publishing);
    let world = World::new(recorder.clone(), cluster.addresses(), phases);
    ensure!(
        timeout(START, find_each_other(&world, cluster.len())).await.is_ok(),
        "the nodes do not find each other within {START:?}; their logs are in {}",
        folder.display()
    );
    let mut random = Random::new(options.seed);
    let mut crowd = Crowd::start(&world, &options.size, &mut random);
    ensure!(
        timeout(START, crowd.ready()).await.is_ok(),
        "not all members are subscribed within {START:?}; logs of the nodes are in {}",
        folder.display()
    );
    crowd.start_publishers(&world, &options.size, &mut random);
    sleep(options.size.calm).await;
    for fault in &options.faults {
        println!("    {:>6.1} s  {fault}", recorder.now().as_secs_f64());
        fault.inject(&mut cluster, &mut random).await?;
        println!("    {:>6.1} s  mended", recorder.now().as_secs_f64());
        sleep(RECOVERY + AFTERWARDS).await;
    }
    phase.send_replace(Phase::Listening);
    if timeout(ANSWER + SLACK, crowd.published()).await.is_err() {
        println!("    {:>6.1} s  not all publishes are answered", recorder.now().as_secs_f64());
    }
    sleep(TOLD + 2 * SLACK).await;
    for node in 0..cluster.len() {
        let mut asker = Asker::new(world.clone(), Client(9000 + number(node)), node);
        if !matches!(asker.health(ANSWER).await, Some((true, _))) {
            hang(format!("node {node} does not say that it is healthy at the end"));
        }
    }
    let until = recorder.now();
    let events = recorder.take();
    phase.send_replace(Phase::Done);
    if timeout(ANSWER, crowd.ended()).await.is_err() {
        hang("not all clients end".to_owned());
    }
    let mut disturbances = cluster.take_disturbances();
    disturbances.extend(stalls.take());
    Ok(History { events, disturbances, nodes: cluster.len(), one_order: options.broker.has_one_order(), until })
}

/// Waits until each node knows all others.
async fn find_each_other(world: &World, nodes: usize) {
    for node in 0..nodes {
        let mut asker = Asker::new(world.clone(), Client(8000 + number(node)), node);
        while asker.health(START).await != Some((true, number(nodes.saturating_sub(1)))) {
            sleep(Duration::from_millis(50)).await;
        }
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn write(folder: &Path, history: &History, findings: &[Finding]) -> Result<()> {
    let mut out = BufWriter::new(File::create(folder.join("history.txt"))?);
    history.write(&mut out)?;
    out.flush()?;
    let text: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
    fs::write(folder.join("findings.txt"), text)?;
    Ok(())
}
