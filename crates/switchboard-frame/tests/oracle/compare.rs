//! What must be the same, and the known differences.

use proptest::{prelude::*, test_runner::TestCaseError};
use switchboard_frame::{Role, Violation};

use crate::decoders::{Found, Owned, ours, theirs, violation_at};

/// What tungstenite makes of a close frame whose code it does not allow.
fn replaced() -> Owned {
    Owned::Close(Some((1002, "Protocol violation".into())))
}

/// Gives both decoders the same bytes.
///
/// The known differences:
///
/// 1. tungstenite looks at a frame when it is whole, ours at its header, and at its text as it
///    arrives. So tungstenite is given enough bytes to make it whole.
/// 2. tungstenite refuses a frame that is too long before it looks at anything else of it but the
///    opcode: 1009 where ours finds a broken rule in the header first.
/// 3. tungstenite accepts lengths that are not in their shortest form. Ours refuses a control frame
///    with a longer form before it knows the length.
/// 4. tungstenite does not refuse a close frame for its code, but replaces the code, and only if
///    the reason is UTF-8; 1014, registered after the RFC, it does not know.
pub(crate) fn compare(role: Role, limit: usize, bytes: &[u8], cuts: &[usize]) -> Result<(), TestCaseError> {
    let our = ours(role, limit, bytes, cuts);
    prop_assert_eq!(&ours(role, limit, bytes, &[]), &our, "the portions make a difference");
    let Some(violation) = our.violation else {
        let mut expected = our.found();
        if let Some(Owned::Close(Some((1014, _)))) = expected.events.last() {
            // 4.
            expected.events.pop();
            expected.events.push(replaced());
        }
        prop_assert_eq!(theirs(role, limit, bytes, cuts), expected);
        return Ok(());
    };

    // 1.
    let padded = [bytes, &vec![0; limit + 14]].concat();
    let their = theirs(role, limit, &padded, cuts);
    let at = violation_at(role, limit, bytes);
    let Some(frame) = at.and_then(|at| Frame::around(&padded, at)) else {
        return Err(TestCaseError::fail("no frame where the violation is"));
    };
    match violation {
        // 2.
        _ if frame.len > limit as u64 && violation.close_code() == 1002 && !frame.is_reserved() => {
            prop_assert_eq!(their, Found { events: our.events, close_code: Some(1009) });
        }
        // 3.
        Violation::LongLengthForm | Violation::LongControlFrame if !frame.is_shortest() => {
            prop_assert!(their.events.starts_with(&our.events));
        }
        // 4.
        Violation::ClosePayload if frame.len >= 2 => {
            let mut events = our.events.clone();
            events.push(replaced());
            let replaced = Found { events, close_code: None };
            let refused = Found { events: our.events, close_code: Some(1007) };
            prop_assert!(their == replaced || their == refused, "{their:?}");
        }
        _ => prop_assert_eq!(their, our.found()),
    }
    Ok(())
}

/// A frame as its length says, nothing checked.
#[derive(Debug, Clone, Copy)]
struct Frame {
    opcode: u8,
    len: u64,
    header_len: u64,
    masked: bool,
}

impl Frame {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let second = *bytes.get(1)?;
        let (len, length) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 2),
            127 => (u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?), 8),
            len => (u64::from(len), 0),
        };
        let masked = second & 0x80 != 0;
        Some(Self { opcode: bytes[0] & 0x0f, len, header_len: 2 + length + if masked { 4 } else { 0 }, masked })
    }

    /// The frame that the byte at an index belongs to.
    fn around(bytes: &[u8], index: usize) -> Option<Self> {
        let mut start = 0;
        loop {
            let frame = Self::parse(bytes.get(start..)?)?;
            let end = (start as u64).saturating_add(frame.header_len).saturating_add(frame.len);
            if (index as u64) < end {
                return Some(frame);
            }
            start = usize::try_from(end).ok()?;
        }
    }

    fn is_reserved(self) -> bool {
        matches!(self.opcode, 0x3..=0x7 | 0xb..=0xf)
    }

    fn is_shortest(self) -> bool {
        let shortest =
            switchboard_frame::encode::header_len(usize::try_from(self.len).unwrap_or(usize::MAX), self.masked);
        self.header_len == shortest as u64
    }
}
