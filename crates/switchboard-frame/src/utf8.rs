//! UTF-8 that arrives in portions.

use crate::Violation;

/// Checks text as it arrives: fails at the first byte that cannot belong to any continuation.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Utf8 {
    /// The start of a character whose end has not arrived.
    begun: [u8; 4],
    len: u8,
}

impl Utf8 {
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Result<(), Violation> {
        while self.len > 0 {
            let Some((next, rest)) = bytes.split_first() else { return Ok(()) };
            self.begun[usize::from(self.len)] = *next;
            self.len += 1;
            bytes = rest;
            match std::str::from_utf8(&self.begun[..usize::from(self.len)]) {
                Ok(_) => self.len = 0,
                // Four bytes are a character or an error, so the index stays within the array.
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(Violation::Utf8),
            }
        }
        match std::str::from_utf8(bytes) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_none() => {
                let begun = &bytes[error.valid_up_to()..];
                self.begun[..begun.len()].copy_from_slice(begun);
                self.len = u8::try_from(begun.len()).map_err(|_| Violation::Utf8)?;
                Ok(())
            }
            Err(_) => Err(Violation::Utf8),
        }
    }

    /// Ends the text, which must not be inside a character.
    pub(crate) fn finish(self) -> Result<(), Violation> {
        if self.len == 0 { Ok(()) } else { Err(Violation::Utf8) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_6455_8_1_text_in_any_portions() {
        let text = "κόσμε \u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}".as_bytes();
        for cut in 0..=text.len() {
            for second in cut..=text.len() {
                let mut utf8 = Utf8::default();
                for portion in [&text[..cut], &text[cut..second], &text[second..]] {
                    utf8.push(portion).unwrap();
                }
                utf8.finish().unwrap();
            }
        }
    }

    #[test]
    fn rfc_6455_8_1_fails_at_the_first_bad_byte() {
        // Surrogate, overlong, beyond U+10FFFF, lone continuation: detected at the byte with the
        // index.
        for (bytes, bad) in [
            (&b"a\xed\xa0\x80"[..], 2),
            (b"\xc0\x80", 0),
            (b"\xe0\x9f\x80", 1),
            (b"\xf4\x90\x80\x80", 1),
            (b"ab\x80", 2),
            (b"\xce\xbaxx\xff", 4),
        ] {
            let mut utf8 = Utf8::default();
            for (i, byte) in bytes.iter().enumerate() {
                let pushed = utf8.push(&[*byte]);
                assert_eq!(pushed.is_err(), i == bad, "{bytes:?} at {i}");
                if i == bad {
                    break;
                }
            }
        }
        let mut utf8 = Utf8::default();
        utf8.push(b"\xe2\x82").unwrap();
        assert!(utf8.finish().is_err());
    }
}
