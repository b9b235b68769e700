//! Starts everything; or one node, with `node`.

use std::{env, error::Error, io, process::ExitCode};

use multi_node::{Run, Settings, USAGE};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("multi-node: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<bool, Box<dyn Error>> {
    match Run::parse(env::args_os().skip(1))? {
        Run::Help => help(),
        Run::Guard(program, arguments) => return Ok(multi_node::guard(program, arguments).await?),
        Run::Cluster(options) => multi_node::cluster(options).await?,
        Run::Node { stop_with_stdin } => {
            let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
            tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(false).init();
            multi_node::node(Settings::from_env()?, stop_with_stdin).await?;
        }
    }
    Ok(true)
}

#[expect(clippy::print_stdout, reason = "it was asked for")]
fn help() {
    print!("{USAGE}");
}
