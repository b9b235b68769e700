//! `cluster-test`: the checker, and with the argument `node` the program of a node.

#![expect(clippy::print_stdout, reason = "a command line tool prints to stdout")]

use std::{env, process::ExitCode};

use anyhow::Result;
use cluster_test::{
    node::{self, NodeOptions},
    options::{Options, USAGE},
    run,
};
use tokio::runtime::Builder;

/// The exit code for an invalid command line.
const INVALID_USAGE: u8 = 2;

fn main() -> ExitCode {
    let is_node = env::args_os().nth(1).is_some_and(|first| first == "node");
    let result = if is_node { run_node() } else { check() };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run_node() -> Result<ExitCode> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let options = NodeOptions::parse(lexopt::Parser::from_args(env::args_os().skip(2)))?;
    Builder::new_multi_thread().enable_all().build()?.block_on(node::run(options))?;
    Ok(ExitCode::SUCCESS)
}

fn check() -> Result<ExitCode> {
    let parsed = Options::parse(lexopt::Parser::from_env())
        .and_then(|options| options.map(|options| options.runs(&env::current_exe()?)).transpose());
    let runs = match parsed {
        Ok(Some(runs)) => runs,
        Ok(None) => {
            print!("{USAGE}");
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => {
            eprint!("error: {error:#}\n\n{USAGE}");
            return Ok(ExitCode::from(INVALID_USAGE));
        }
    };
    // Servers end with the thread that has started them: this one.
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let mut reports = Vec::new();
    for (number, options) in runs.iter().enumerate() {
        let faults: Vec<_> = options.faults.iter().map(|fault| fault.name()).collect();
        println!("[{}/{}] {}: {}", number + 1, runs.len(), options.broker, faults.join(", "));
        let report = runtime.block_on(run::run(options))?;
        println!("{report}");
        reports.push(report);
    }
    let failed = reports.iter().filter(|report| !report.verdict.findings.is_empty()).count();
    println!("{}", run::summary(reports));
    if failed == 0 {
        println!("{} runs, nothing found", runs.len());
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{failed} of {} runs broke a promise; one again: cargo xtask cluster-test --broker B --fault F",
        runs.len()
    );
    Ok(ExitCode::FAILURE)
}
