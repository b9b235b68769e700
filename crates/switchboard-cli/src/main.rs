//! The program `switchboard`.

mod arguments;
mod commands;
mod error;
mod source;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use self::arguments::Command;

const HELP: &str = "\
Clients and documents from the contract of a Switchboard route

Usage:
  switchboard gen typescript   --from SOURCE --out PATH [--name NAME] [--module SPECIFIER | --standalone]
  switchboard gen javascript   --from SOURCE --out PATH [--name NAME] [--module SPECIFIER | --standalone]
  switchboard gen validators   --from SOURCE --out PATH [--name NAME] [--module SPECIFIER]
  switchboard gen asyncapi     --from SOURCE --out PATH [--name NAME] [--title TITLE] [--api-version VERSION]
  switchboard gen json-schema  --from SOURCE --out PATH
  switchboard check KIND       with the options of `gen`: fails if PATH is not up to date
  switchboard diff OLD NEW     lists what changed; exit code 1 if it breaks clients of the old contract

javascript writes a module for pages that no program builds, and its types beside it, in a .d.ts file. validators does
the same if PATH ends in .js.

SOURCE, OLD and NEW are a file or an http:// address with a contract as JSON: what `router.contract(\"/ws\")`
returns, written by serde_json. `-` is the standard input, and for `--out` the standard output.

Options:
  --from SOURCE            a contract; `NAME=SOURCE` names its route, several make a file of several routes
  --out PATH               the file
  --name NAME              the name of the route. Default: the last word of its path
  --module SPECIFIER       what the file imports its types from. Default: switchboard-client; of validators, ./NAME.js
  --standalone             writes the client beside PATH, as switchboard-client.js, and imports that
  --title TITLE            the title of the document. Default: the name of the route
  --api-version VERSION    the version of the application. Default: 1.0.0
  -h, --help               prints this
  -V, --version            prints the version
";

fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    match run(&mut out).and_then(|code| out.flush().map_err(error::CliError::output).map(|()| code)) {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to do if this fails, too.
            _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(out: &mut impl io::Write) -> Result<ExitCode, error::CliError> {
    match arguments::parse(lexopt::Parser::from_env())? {
        Command::Help => write!(out, "{HELP}").map_err(error::CliError::output)?,
        Command::Version => {
            writeln!(out, "switchboard {}", env!("CARGO_PKG_VERSION")).map_err(error::CliError::output)?;
        }
        Command::Generate(task) => commands::generate(&task, out)?,
        Command::Check(task) => {
            if !commands::check(&task, out)? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Diff { old, new } => {
            if commands::diff(&old, &new, out)? {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
