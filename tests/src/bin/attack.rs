//! Attacks a server, and prints the latency of a client beside it. Without names it runs all
//! attacks; `list` describes them. The server has two threads on one core, or one with `RT=single`; the
//! clients have another core.
//!
//! ```sh
//! cargo run --release -p switchboard-tests --bin attack -- a2 a10
//! ```

#![expect(clippy::print_stdout, reason = "the result")]

use std::process::ExitCode;

use switchboard_tests::{attack, serve};

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let done = match names.first().map(String::as_str) {
        Some("serve") => serve::run(async || Ok(attack::app())),
        Some("against") => attack::against(&names[1..]).map(|seen| println!("{seen}")),
        Some("list") => {
            attack::NAMES.iter().for_each(|(name, what)| println!("{name}: {what}"));
            Ok(())
        }
        Some(_) => names.iter().try_for_each(|name| run(name)),
        None => attack::NAMES.iter().try_for_each(|(name, _)| run(name)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(name: &str) -> std::io::Result<()> {
    println!("{}", attack::run(name)?);
    Ok(())
}
