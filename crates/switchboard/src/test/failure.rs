//! Messages of failed expectations.

use std::{fmt, panic::Location};

use switchboard_core::CloseCode;

/// The number of characters after which frames are cut.
const SHOWN: usize = 400;

/// The number of frames that are listed.
const LISTED: usize = 10;

/// Fails the test, with the location in it.
#[track_caller]
pub(super) fn fail(at: &Location<'_>, text: impl fmt::Display) -> ! {
    panic!("{at}: {text}")
}

/// Returns the beginning of a text.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

/// Describes how a connection was closed.
pub(super) fn closed(code: CloseCode, reason: &str) -> String {
    match code {
        CloseCode::ABNORMAL => "the connection ended without a close frame".to_owned(),
        CloseCode::NO_STATUS => "the connection was closed without a code".to_owned(),
        _ if reason.is_empty() => format!("the connection was closed with {code}"),
        _ => format!("the connection was closed with {code}, {reason:?}"),
    }
}

/// Lists the frames that arrived in place of the expected one.
pub(super) fn meanwhile(frames: impl ExactSizeIterator<Item = impl fmt::Display>) -> String {
    let count = frames.len();
    if count == 0 {
        return "; nothing else arrived".to_owned();
    }
    let mut text = "; arrived instead:".to_owned();
    for frame in frames.take(LISTED) {
        text += &format!("\n  {frame}");
    }
    if count > LISTED {
        text += &format!("\n  and {} more", count - LISTED);
    }
    text
}
