//! Runs the simulator for many seeds: `cargo xtask simulate`.

#![expect(clippy::print_stdout, reason = "a command line tool prints to stdout")]

mod chart;

use std::{
    env,
    error::Error,
    fs,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use switchboard_cluster::simulate::{Options, Report, run, traffic};

const USAGE: &str = "usage: simulate [--seeds N] [--seed S] [--nodes N] [--traffic [--chart FILE]]";

struct Arguments {
    seeds: std::ops::Range<u64>,
    nodes: Option<usize>,
    traffic: bool,
    /// Where to write the chart of the traffic.
    chart: Option<String>,
}

fn arguments() -> Result<Arguments, Box<dyn Error>> {
    let mut parsed = Arguments { seeds: 0..2000, nodes: None, traffic: false, chart: None };
    let mut arguments = env::args().skip(1);
    while let Some(option) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{option} needs a value\n{USAGE}"));
        match option.as_str() {
            "--seeds" => parsed.seeds = 0..value()?.parse()?,
            "--seed" => {
                let seed = value()?.parse()?;
                parsed.seeds = seed..seed + 1;
            }
            "--nodes" => parsed.nodes = Some(value()?.parse()?),
            "--traffic" => parsed.traffic = true,
            "--chart" => parsed.chart = Some(value()?),
            _ => return Err(format!("unknown option {option}\n{USAGE}").into()),
        }
    }
    Ok(parsed)
}

fn main() -> ExitCode {
    match arguments() {
        Ok(arguments) if arguments.traffic => measure(&arguments),
        Ok(arguments) => simulate(&arguments),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Prints the traffic of more and more nodes.
fn measure(arguments: &Arguments) -> ExitCode {
    println!("{}", traffic::HEADING);
    let measured = [10, 100, 1000].map(|nodes| {
        let traffic = traffic::measure(nodes);
        println!("{traffic}");
        traffic
    });
    match arguments.chart.as_ref().map(|path| fs::write(path, chart::svg(&measured))) {
        Some(Err(error)) => {
            eprintln!("error: the chart is not written: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// What all runs have shown together.
#[derive(Default)]
struct Total {
    runs: u64,
    published: usize,
    delivered: usize,
    lost: usize,
    told_after: Vec<Duration>,
    failed: Vec<u64>,
}

impl Total {
    fn add(&mut self, report: Report) {
        self.runs += 1;
        self.published += report.published;
        self.delivered += report.delivered;
        self.lost += report.lost;
        self.told_after.extend(report.told_after);
        if let Some(violation) = report.violations.first() {
            println!("seed {}: {violation}", report.seed);
            self.failed.push(report.seed);
        }
    }

    fn told_after(&self, share: f64) -> Duration {
        let at = (self.told_after.len() as f64 * share) as usize;
        self.told_after.get(at).or(self.told_after.last()).copied().unwrap_or_default()
    }
}

fn simulate(arguments: &Arguments) -> ExitCode {
    let begun = Instant::now();
    let options = |seed| match arguments.nodes {
        Some(nodes) => Options::new(seed).nodes(nodes),
        None => Options::new(seed),
    };
    let next = AtomicU64::new(arguments.seeds.start);
    let total = Mutex::new(Total::default());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= arguments.seeds.end {
                return;
            }
            let report = run(&options(seed));
            total.lock().unwrap_or_else(PoisonError::into_inner).add(report);
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..threads).for_each(|_| _ = scope.spawn(work)));
    let mut total = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    total.told_after.sort_unstable();
    total.failed.sort_unstable();
    if let Some(seed) = total.failed.first() {
        // The same run again, this time with its trace.
        print!("{}", run(&options(*seed).keep_trace()));
    }
    println!(
        "{} runs of 70 s in {:.1} s: {} messages published, {} delivered, {} lost",
        total.runs,
        begun.elapsed().as_secs_f64(),
        total.published,
        total.delivered,
        total.lost,
    );
    let [median, most, all] = [0.5, 0.99, 1.0].map(|share| total.told_after(share));
    println!("losses on links that stayed up were told after {median:.1?} (p50), {most:.1?} (p99), {all:.1?} (all)");
    if total.failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("{} runs failed; one again with its trace: cargo xtask simulate --seed S", total.failed.len());
    ExitCode::FAILURE
}
