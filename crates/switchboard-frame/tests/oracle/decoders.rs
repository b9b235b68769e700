//! Both decoders, from bytes to what they found.

use std::io::{self, Read, Write};

use switchboard_frame::{Decoded, Decoder, Event, Limits, Role, Violation};
use tungstenite::{
    Error, Message,
    protocol::{WebSocket, WebSocketConfig},
};

/// An event that owns its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owned {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
}

/// The events, up to a close frame, and the code of what ended them otherwise: `None` if more
/// bytes might follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) events: Vec<Owned>,
    pub(crate) close_code: Option<u16>,
}

/// What our decoder found, and what it knows beyond tungstenite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ours {
    pub(crate) events: Vec<Owned>,
    pub(crate) violation: Option<Violation>,
}

impl Ours {
    pub(crate) fn found(&self) -> Found {
        Found { events: self.events.clone(), close_code: self.violation.map(Violation::close_code) }
    }
}

/// The portions of some bytes between these ascending cuts.
fn portions<'b>(bytes: &'b [u8], cuts: &[usize]) -> Vec<&'b [u8]> {
    let ends = cuts.iter().copied().filter(|cut| *cut < bytes.len()).chain([bytes.len()]);
    ends.scan(0, |start, end| Some(&bytes[std::mem::replace(start, end)..end])).collect()
}

pub(crate) fn ours(role: Role, limit: usize, bytes: &[u8], cuts: &[usize]) -> Ours {
    let mut decoder = decoder(role, limit);
    let mut events = Vec::new();
    for portion in portions(bytes, cuts) {
        let mut portion = portion.to_vec();
        let mut input = &mut portion[..];
        while !input.is_empty() {
            match decoder.decode(input) {
                Err(violation) => return Ours { events, violation: Some(violation) },
                Ok(Decoded { consumed, event }) => {
                    events.extend(event.map(Owned::from));
                    input = &mut input[consumed..];
                }
            }
        }
    }
    Ours { events, violation: None }
}

/// Which byte shows our decoder a violation.
pub(crate) fn violation_at(role: Role, limit: usize, bytes: &[u8]) -> Option<usize> {
    let mut decoder = decoder(role, limit);
    bytes.iter().position(|byte| decoder.decode(&mut [*byte]).is_err())
}

fn decoder(role: Role, limit: usize) -> Decoder {
    Decoder::new(role, Limits::default().max_message_bytes(limit).max_fragments(u32::MAX))
}

pub(crate) fn theirs(role: Role, limit: usize, bytes: &[u8], cuts: &[usize]) -> Found {
    let role = match role {
        Role::Server => tungstenite::protocol::Role::Server,
        Role::Client => tungstenite::protocol::Role::Client,
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(limit))
        .max_frame_size(Some(limit))
        .read_buffer_size(4096)
        .write_buffer_size(0);
    let mut portions = portions(bytes, cuts);
    portions.reverse();
    let mut socket = WebSocket::from_raw_socket(Portions(portions), role, Some(config));
    let mut events = Vec::new();
    let close_code = loop {
        match socket.read() {
            Ok(message) => {
                let closed = message.is_close();
                events.push(Owned::from(message));
                if closed {
                    break None;
                }
            }
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => break None,
            Err(Error::Protocol(_)) => break Some(1002),
            Err(Error::Utf8(_)) => break Some(1007),
            Err(Error::Capacity(_)) => break Some(1009),
            Err(error) => panic!("not an error about what was read: {error}"),
        }
    };
    Found { events, close_code }
}

/// A socket that gives these portions, the last one first, and takes everything.
struct Portions<'b>(Vec<&'b [u8]>);

impl Read for Portions<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(portion) = self.0.pop() {
            if portion.is_empty() {
                continue;
            }
            let len = portion.len().min(buffer.len());
            buffer[..len].copy_from_slice(&portion[..len]);
            self.0.push(&portion[len..]);
            return Ok(len);
        }
        Err(io::ErrorKind::WouldBlock.into())
    }
}

impl Write for Portions<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl From<Event<'_>> for Owned {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Text(text.into()),
            Event::Binary(bytes) => Self::Binary(bytes.into()),
            Event::Ping(bytes) => Self::Ping(bytes.into()),
            Event::Pong(bytes) => Self::Pong(bytes.into()),
            Event::Close(close) => Self::Close(close.map(|(code, reason)| (code, reason.into()))),
        }
    }
}

impl From<Message> for Owned {
    fn from(message: Message) -> Self {
        match message {
            Message::Text(text) => Self::Text(text.to_string()),
            Message::Binary(bytes) => Self::Binary(bytes.into()),
            Message::Ping(bytes) => Self::Ping(bytes.into()),
            Message::Pong(bytes) => Self::Pong(bytes.into()),
            Message::Close(close) => Self::Close(close.map(|close| (close.code.into(), close.reason.to_string()))),
            Message::Frame(_) => unreachable!("never read"),
        }
    }
}
