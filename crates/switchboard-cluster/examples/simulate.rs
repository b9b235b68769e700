//! Runs the simulator for many seeds: `cargo xtask simulate`.

#![expect(clippy::print_stdout, reason = "a command line tool prints to stdout")]

use std::{env, error::Error, process::ExitCode, time::Instant};

use switchboard_cluster::simulate::{Options, run};

const USAGE: &str = "usage: simulate [--seeds N] [--seed S] [--nodes N] [--traffic]";

struct Arguments {
    seeds: std::ops::Range<u64>,
    nodes: Option<usize>,
    traffic: bool,
}

fn arguments() -> Result<Arguments, Box<dyn Error>> {
    let mut parsed = Arguments { seeds: 0..2000, nodes: None, traffic: false };
    let mut arguments = env::args().skip(1);
    while let Some(option) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{option} needs a number\n{USAGE}"));
        match option.as_str() {
            "--seeds" => parsed.seeds = 0..value()?.parse()?,
            "--seed" => {
                let seed = value()?.parse()?;
                parsed.seeds = seed..seed + 1;
            }
            "--nodes" => parsed.nodes = Some(value()?.parse()?),
            "--traffic" => parsed.traffic = true,
            _ => return Err(format!("unknown option {option}\n{USAGE}").into()),
        }
    }
    Ok(parsed)
}

fn main() -> ExitCode {
    match arguments() {
        Ok(arguments) => simulate(&arguments),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn simulate(arguments: &Arguments) -> ExitCode {
    let begun = Instant::now();
    let (mut published, mut delivered, mut lost, mut failed) = (0, 0, 0, 0);
    let mut told_after = Vec::new();
    for seed in arguments.seeds.clone() {
        let options = || match arguments.nodes {
            Some(nodes) => Options::new(seed).nodes(nodes),
            None => Options::new(seed),
        };
        let report = run(&options());
        published += report.published;
        delivered += report.delivered;
        lost += report.lost;
        told_after.extend(report.told_after);
        if !report.violations.is_empty() {
            failed += 1;
            if failed == 1 {
                // The same run again, this time with its trace.
                print!("{}", run(&options().keep_trace()));
            } else {
                println!("seed {seed}: {}", report.violations[0]);
            }
        }
    }
    told_after.sort_unstable();
    let share = |of: f64| told_after.get((told_after.len() as f64 * of) as usize).copied().unwrap_or_default();
    println!(
        "{} runs of 70 s in {:.1} s: {published} messages published, {delivered} delivered, {lost} lost",
        arguments.seeds.end - arguments.seeds.start,
        begun.elapsed().as_secs_f64(),
    );
    println!(
        "losses were told after {:?} (p50), {:?} (p99), {:?} (latest), from when the broker had accepted the message and the links were up",
        share(0.5),
        share(0.99),
        told_after.last().copied().unwrap_or_default(),
    );
    if failed == 0 {
        return ExitCode::SUCCESS;
    }
    println!("{failed} runs failed; again with its trace: cargo xtask simulate --seed S");
    ExitCode::FAILURE
}
