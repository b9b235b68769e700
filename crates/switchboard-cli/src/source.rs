//! Where contracts come from.

use std::{fs, io::Read as _, time::Duration};

use switchboard_core::Contract;

use crate::error::CliError;

/// The largest contract that is read.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Reads a contract from a file, an address, or the standard input for `-`.
pub(crate) fn read(source: &str) -> Result<Contract, CliError> {
    let text = if source == "-" {
        let mut text = String::new();
        let read = std::io::stdin().lock().take(MAX_BYTES).read_to_string(&mut text);
        read.map_err(|error| CliError::because("cannot read the standard input", &error))?;
        text
    } else if source.starts_with("http://") || source.starts_with("https://") {
        get(source)?
    } else {
        fs::read_to_string(source).map_err(|error| {
            let hint = "give a file with a contract as JSON, or an http:// address";
            CliError::because(format!("cannot read `{source}` ({hint})"), &error)
        })?
    };
    serde_json::from_str(&text).map_err(|error| {
        let hint = "write it with `serde_json::to_string(&router.contract(\"/ws\"))`";
        CliError::because(format!("`{source}` is no contract ({hint})"), &error)
    })
}

fn get(url: &str) -> Result<String, CliError> {
    if url.starts_with("https://") {
        let save = format!("curl --fail --output contract.json {url}");
        return Err(CliError::new(format!(
            "https:// is not spoken here: save the contract with `{save}`, and give that file"
        )));
    }
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).build().into();
    let hint = "is the server running, and does it serve its contract there?";
    let fail = |error: &ureq::Error| CliError::because(format!("cannot get `{url}` ({hint})"), error);
    let mut response = agent.get(url).header("accept", "application/json").call().map_err(|error| fail(&error))?;
    response.body_mut().with_config().limit(MAX_BYTES).read_to_string().map_err(|error| fail(&error))
}
