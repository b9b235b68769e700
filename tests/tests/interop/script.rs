//! A client that is a script in `tests/interop`.

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{process::Command, time::timeout};

use crate::{
    plan::plan,
    server::{Server, Transport},
};

/// How long a script may take, which itself waits ten seconds for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lets a script carry out the plan; what it saw.
pub(super) async fn run(interpreter: &Path, name: &str, transport: Transport) -> Value {
    let server = Server::start(transport).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop").join(name);
    let mut command = Command::new(interpreter);
    command.arg(script).arg(server.url()).arg(plan().to_string());
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output =
        timeout(PATIENCE, command.output()).await.expect("the script ends in time").expect("the script starts");
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name} failed: {}\n{said}\n{errors}", output.status);
    server.stop().await;
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{name} printed no JSON: {error}\n{said}\n{errors}"))
}
