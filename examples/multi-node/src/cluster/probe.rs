//! Looks at the parts from outside, as a monitor does.

use std::{net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::node::Status;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// The longest answer that is read.
const MAX_ANSWER: u64 = 64 * 1024;

/// What a node answers.
#[derive(Debug, Clone, Default)]
pub(super) struct SeenNode {
    pub(super) status: Status,
    /// Whether new clients may go there.
    pub(super) ready: bool,
}

/// Asks a node for its figures and whether it is ready. `None` if it does not answer.
pub(super) async fn node(port: u16) -> Option<SeenNode> {
    let (_, body) = get(port, "/status").await?;
    let (ready, _) = get(port, "/readyz").await?;
    Some(SeenNode { status: serde_json::from_slice(&body).ok()?, ready: ready == 200 })
}

/// Whether a broker answers `greeting` with a text that begins so.
pub(super) async fn broker(port: u16, (greeting, answer): (&str, &str)) -> bool {
    let ask = async {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
        socket.write_all(greeting.as_bytes()).await.ok()?;
        let mut read = vec![0; answer.len()];
        socket.read_exact(&mut read).await.ok()?;
        Some(read == answer.as_bytes())
    };
    timeout(PATIENCE, ask).await.ok().flatten() == Some(true)
}

/// Whether something listens.
pub(super) async fn listens(port: u16) -> bool {
    matches!(timeout(PATIENCE, TcpStream::connect((Ipv4Addr::LOCALHOST, port))).await, Ok(Ok(_)))
}

/// Returns the code and the body of an answer. HTTP/1.0, so that it ends with the connection.
async fn get(port: u16, path: &str) -> Option<(u16, Vec<u8>)> {
    let ask = async {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
        let request = format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        socket.take(MAX_ANSWER).read_to_end(&mut answer).await.ok()?;
        parse(&answer)
    };
    timeout(PATIENCE, ask).await.ok().flatten()
}

fn parse(answer: &[u8]) -> Option<(u16, Vec<u8>)> {
    let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let first = std::str::from_utf8(answer.get(..head)?).ok()?.lines().next()?;
    let code = first.split(' ').nth(1)?.parse().ok()?;
    Some((code, answer.get(head + 4..)?.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn an_answer_has_a_code_and_a_body() {
        assert_eq!(parse(b"HTTP/1.0 503 Service Unavailable\r\na: b\r\n\r\nno"), Some((503, b"no".to_vec())));
        for bad in ["", "HTTP/1.0", "HTTP/1.0 x\r\n\r\n", "\r\n\r\n"] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
