//! One number for all texts of the same JSON value.

mod number;

use std::{borrow::Cow, fmt};

use serde::de::{Deserializer as _, Visitor};
use sha1::{Digest as _, Sha1};

use crate::json::{Lexer, Token};

/// An object whose members take no more than this is not hashed by itself.
const MAX_INLINE: usize = 64;

/// Returns a fingerprint of a JSON value: the same for every text of it, and for every build.
///
/// White space, the order of keys, escapes in strings and the notation of numbers do not count: `1`,
/// `1.0` and `10e-1` are the same number, also where no `f64` holds it. The order of elements counts,
/// and so does each member of an object that has a key twice.
///
/// The cost grows with the length of the text, whatever its shape, and depth needs no stack. Nothing
/// depends on how serde_json was built. A text that is not JSON has a fingerprint, too.
///
/// It is made to compare values that come from the same peer. It does not withstand a peer that looks
/// for two values with one fingerprint.
///
/// ```
/// use switchboard_core::fingerprint;
///
/// assert_eq!(fingerprint(r#"{"a":1,"b":[2]}"#), fingerprint(r#"{ "b": [2e0], "\u0061": 1.0 }"#));
/// assert_ne!(fingerprint(r#"{"a":1}"#), fingerprint(r#"{"a":"1"}"#));
/// ```
#[must_use]
pub fn fingerprint(json: &str) -> u128 {
    let mut canonical = Canonical::default();
    let digest = match canonical.write(json) {
        Some(()) => Sha1::digest(&canonical.out),
        None => Sha1::new().chain_update(b"?").chain_update(json).finalize(),
    };
    digest.iter().take(16).fold(0, |hash, byte| hash << 8 | u128::from(*byte))
}

/// Writes a value so that two values that differ never give the same bytes.
///
/// An object becomes a hash of its sorted members as soon as it ends: so each byte is hashed and moved
/// a bounded number of times, at any depth.
#[derive(Default)]
struct Canonical {
    out: Vec<u8>,
    open: Vec<Open>,
    /// Of all the objects that are open; those of the innermost one are the last.
    members: Vec<Member>,
    scratch: Vec<u8>,
}

enum Open {
    Array,
    Object { start: usize, first_member: usize, has_key: bool },
}

/// Where a member stands in `out`.
struct Member {
    start: usize,
    key_end: usize,
    end: usize,
}

impl Canonical {
    /// `None` if the text is not JSON.
    fn write(&mut self, json: &str) -> Option<()> {
        let mut lexer = Lexer::new(json);
        loop {
            let token = lexer.next()?;
            if let Some(Open::Object { has_key: has_key @ false, .. }) = self.open.last_mut()
                && let Token::String(key) = token
            {
                *has_key = true;
                let start = self.out.len();
                self.string(key);
                self.members.push(Member { start, key_end: self.out.len(), end: start });
                continue;
            }
            match token {
                Token::BeginArray => {
                    self.out.push(b'[');
                    self.open.push(Open::Array);
                    continue;
                }
                Token::BeginObject => {
                    let (start, first_member) = (self.out.len(), self.members.len());
                    self.open.push(Open::Object { start, first_member, has_key: false });
                    continue;
                }
                Token::EndArray => {
                    let Some(Open::Array) = self.open.pop() else { return None };
                    self.out.push(b']');
                }
                Token::EndObject => {
                    let Some(Open::Object { start, first_member, .. }) = self.open.pop() else { return None };
                    self.end_object(start, first_member);
                }
                Token::String(text) => self.string(text),
                Token::Number(text) => {
                    self.out.push(b'#');
                    number::write_canonical(&mut self.out, text);
                    self.out.push(b';');
                }
                Token::Bool(value) => self.out.push(if value { b't' } else { b'f' }),
                Token::Null => self.out.push(b'n'),
            }
            match self.open.last_mut() {
                None => return lexer.next().is_none().then_some(()),
                Some(Open::Array) => {}
                Some(Open::Object { has_key, .. }) => {
                    *has_key = false;
                    self.members.last_mut()?.end = self.out.len();
                }
            }
        }
    }

    fn string(&mut self, quoted: &str) {
        let text = unescape(quoted);
        self.out.push(b'"');
        self.out.extend_from_slice(&(text.len() as u64).to_le_bytes());
        self.out.extend_from_slice(&text);
    }

    fn end_object(&mut self, start: usize, first_member: usize) {
        let Self { out, members, scratch, .. } = self;
        let members_of_it = &mut members[first_member..];
        let key = |member: &Member| &out[member.start..member.key_end];
        // Stable: where a key stands twice, the order of its values counts.
        members_of_it.sort_by(|a, b| key(a).cmp(key(b)));
        let values = members_of_it.iter().map(|member| &out[member.start..member.end]);
        if out.len() - start <= MAX_INLINE {
            scratch.clear();
            values.for_each(|member| scratch.extend_from_slice(member));
            out.truncate(start);
            out.push(b'{');
            out.extend_from_slice(scratch);
            out.push(b'}');
        } else {
            let digest = values.fold(Sha1::new(), |hash, member| hash.chain_update(member)).finalize();
            out.truncate(start);
            out.push(b'O');
            out.extend_from_slice(&digest);
        }
        members.truncate(first_member);
    }
}

/// The bytes that a string stands for. Not `str`: an escape may be half of a surrogate pair, which
/// passes where the string is ignored.
fn unescape(quoted: &str) -> Cow<'_, [u8]> {
    struct Bytes;
    impl Visitor<'_> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }
    }
    let plain = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted);
    if memchr::memchr(b'\\', plain.as_bytes()).is_none() {
        return Cow::Borrowed(plain.as_bytes());
    }
    match serde_json::Deserializer::from_str(quoted).deserialize_bytes(Bytes) {
        Ok(bytes) => Cow::Owned(bytes),
        Err(_) => Cow::Borrowed(plain.as_bytes()),
    }
}

#[cfg(test)]
mod tests;
