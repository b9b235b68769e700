//! A client of Redis for the commands that tests give: one command, one connection.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::TcpStream,
    time::Duration,
};

/// An answer of Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A text or a number.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// Nothing.
    Nil,
}

impl Reply {
    /// Returns the text. Empty for anything else.
    #[must_use]
    pub fn text(&self) -> &str {
        if let Self::Text(text) = self { text } else { "" }
    }

    /// Returns the list. Empty for anything else.
    #[must_use]
    pub fn list(&self) -> &[Self] {
        if let Self::List(list) = self { list } else { &[] }
    }
}

/// Gives the server on a port a command.
///
/// # Errors
///
/// If the server is not reachable, does not answer for ten seconds, or answers with an error.
pub fn ask(port: u16, words: &[&str]) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let strings: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
    stream.write_all(format!("*{}\r\n{strings}", words.len()).as_bytes())?;
    read(&mut BufReader::new(stream))
}

fn read(input: &mut impl BufRead) -> io::Result<Reply> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, format!("{line:?}"));
    let rest = line.get(1..).unwrap_or_default().trim_end();
    match line.bytes().next() {
        Some(b'+' | b':') => Ok(Reply::Text(rest.to_owned())),
        Some(b'$' | b'*') if rest == "-1" => Ok(Reply::Nil),
        Some(b'$') => {
            let length: usize = rest.parse().map_err(|_| invalid())?;
            let mut text = vec![0; length + 2];
            input.read_exact(&mut text)?;
            text.truncate(length);
            Ok(Reply::Text(String::from_utf8_lossy(&text).into_owned()))
        }
        Some(b'*') => {
            let count = rest.parse().map_err(|_| invalid())?;
            (0..count).map(|_| read(input)).collect::<io::Result<_>>().map(Reply::List)
        }
        _ => Err(invalid()),
    }
}
