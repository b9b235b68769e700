//! The members of an object.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, Error as _, MapAccess, value::BorrowedStrDeserializer};

use super::{
    fault::Fault,
    findings::Declared,
    key::Key,
    node::{Context, Node},
    path::Path,
};
use crate::{
    decode::raw_key::RAW_VALUE,
    json::{Lexer, Token},
};

/// The most required fields that are tracked: a bit each in [`Required::left`].
const MOST_REQUIRED: usize = 63;

pub(super) struct Fields<'de, 'n> {
    lexer: &'n mut Lexer<'de>,
    path: &'n Path<'n>,
    context: Context<'n>,
    /// The fields that the struct declares, if it is one.
    declared: Option<Declared>,
    /// The key of the next value.
    key: Option<Cow<'de, str>>,
    tag: Tag<'de>,
    /// Required fields that have not been read.
    required: Required<'n>,
}

/// Fields that another object of the same type, or this one, lacked in the last pass. `left` has a
/// bit for each that has not been read.
struct Required<'n> {
    fields: &'n [&'static str],
    left: u64,
    /// The field whose placeholder is next.
    next: Option<&'static str>,
}

impl Required<'_> {
    fn come(&mut self, key: &str) {
        if let Some(index) = self.fields.iter().position(|field| *field == key) {
            self.left &= !(1 << index);
        }
    }

    fn take(&mut self) -> Option<&'static str> {
        let index = self.left.trailing_zeros() as usize;
        let field = self.fields.get(index)?;
        self.left &= !(1 << index);
        Some(field)
    }
}

/// The tag of an enum behind its content. It is read first: otherwise serde would buffer the
/// content, and a buffer knows neither paths nor that an unknown key is refused.
enum Tag<'de> {
    None,
    /// Not read yet.
    At(Lexer<'de>),
    /// Its value is read next. Holds where to continue then, and where the tag is.
    Reading {
        back: Lexer<'de>,
        tag: usize,
    },
    /// Where it is skipped.
    Read(usize),
}

impl<'de, 'n> Fields<'de, 'n> {
    /// Creates it behind the brace. `start`: at the brace. `visitor`: the name of the type that
    /// reads the members.
    pub(super) fn new(
        Node { lexer, path, context }: Node<'de, 'n>,
        declared: Option<Declared>,
        start: Lexer<'de>,
        visitor: &'static str,
    ) -> Self {
        let fields = context.placeholders().map_or(&[][..], |all| all.repairs.required(start.position(), visitor));
        let fields = &fields[..fields.len().min(MOST_REQUIRED)];
        let required = Required { fields, left: (1 << fields.len()) - 1, next: None };
        let tag = match declared {
            Some(Declared { fields: [tag, content], .. }) => late_tag(*lexer, tag, content).map_or(Tag::None, Tag::At),
            _ => Tag::None,
        };
        let context = context.in_object(declared);
        Self { lexer, path, context, declared, key: None, tag, required }
    }

    /// Returns the next key as it is written.
    fn next_key(&mut self) -> Option<&'de str> {
        if let Tag::At(tag) = self.tag {
            self.tag = Tag::Reading { back: *self.lexer, tag: tag.position() };
            *self.lexer = tag;
        }
        loop {
            let before = *self.lexer;
            let Some(Token::String(quoted)) = self.lexer.next() else {
                *self.lexer = before;
                return None;
            };
            match self.tag {
                Tag::Read(tag) if tag == before.position() => _ = self.lexer.value(),
                _ => return Some(quoted),
            }
        }
    }

    /// Continues behind a value.
    fn go_on(&mut self) {
        if let Tag::Reading { back, tag } = self.tag {
            *self.lexer = back;
            self.tag = Tag::Read(tag);
        }
    }

    /// Supplies a missing field that the type is known to require.
    fn next_required<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some(field) = self.required.take() else { return Ok(None) };
        self.required.next = Some(field);
        seed.deserialize(BorrowedStrDeserializer::new(field)).map(Some)
    }

    fn placeholder<T: DeserializeSeed<'de>>(&self, field: &'static str, seed: T) -> Result<T::Value, Fault> {
        let placeholder = self
            .context
            .placeholders()
            .and_then(|all| all.put(&self.path.key(field), self.path, "missing_field", "is required"))
            .ok_or_else(|| Fault::missing_field(field))?;
        seed.deserialize(placeholder).map_err(Fault::silenced)
    }

    /// Skips the remaining members and the brace. Returns `false` if there were any. Finds unknown
    /// keys among them if a fault came before them.
    pub(super) fn drain(mut self) -> bool {
        let mut left = false;
        if self.key.take().is_some() {
            self.lexer.value();
            left = true;
        }
        self.go_on();
        while let Some(quoted) = self.next_key() {
            left = true;
            let Some(value) = self.lexer.value() else { break };
            if let Some(declared) = self.declared
                && self.context.findings.wants_unknown()
                && let Some(key) = unescape(quoted)
                && !declared.fields.contains(&&*key)
            {
                self.context.findings.unknown(&self.path.key(&key), Some(declared), value);
            }
            self.go_on();
        }
        self.lexer.next();
        !left
    }
}

impl<'de> MapAccess<'de> for Fields<'de, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        loop {
            let Some(quoted) = self.next_key() else { return self.next_required(seed) };
            let Some(key) = unescape(quoted) else {
                self.key = Some(Cow::Borrowed(""));
                return Err(Fault::unspecific().at(self.path, "must have valid keys"));
            };
            if self.context.buffered && key == RAW_VALUE {
                self.key = Some(key);
                return Err(Fault::unspecific().at(&self.path.key(RAW_VALUE), "must not be a key"));
            }
            if self.context.is_ignored(&key) {
                self.lexer.value();
                continue;
            }
            self.required.come(&key);
            let known = seed.deserialize(Key { quoted, text: &key });
            let known = known.map_err(|fault| {
                let fault = match self.declared {
                    // An enum with tag and content reports only that the key is neither.
                    Some(Declared { fields, .. }) if !fields.contains(&&*key) => Fault::unknown_field(&key, fields),
                    _ => fault,
                };
                fault.at(&self.path.key(&key), "must have a valid key")
            });
            self.key = Some(key);
            return known.map(Some);
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        if let Some(field) = self.required.next.take() {
            return self.placeholder(field, seed);
        }
        let Some(key) = self.key.take() else { return Err(Fault::unspecific()) };
        let start = *self.lexer;
        let path = self.path.key(&key);
        let node = Node { lexer: &mut *self.lexer, path: &path, context: self.context };
        let result = node.read(seed);
        if self.lexer.is_still_at(&start) {
            self.lexer.value();
        }
        self.go_on();
        // A value that a type refuses after reading it, as `deserialize_with` may, is the place of
        // the fault, too.
        result.map_err(|fault| fault.blame(start, &path, self.context).repaired_by(|| self.context.replacing(start)))
    }
}

/// Returns a key as text; `None` for an unpaired surrogate.
pub(in crate::decode::diagnose) fn unescape(quoted: &str) -> Option<Cow<'_, str>> {
    if memchr::memchr(b'\\', quoted.as_bytes()).is_some() {
        return serde_json::from_str(quoted).ok().map(Cow::Owned);
    }
    quoted.strip_prefix('"')?.strip_suffix('"').map(Cow::Borrowed)
}

/// Finds the tag if the content is in front of it.
fn late_tag<'de>(mut lexer: Lexer<'de>, tag: &str, content: &str) -> Option<Lexer<'de>> {
    let mut behind_content = false;
    loop {
        let at = lexer;
        let Token::String(quoted) = lexer.next()? else { return None };
        let key = unescape(quoted)?;
        if key == tag {
            return behind_content.then_some(at);
        }
        behind_content |= key == content;
        lexer.value()?;
    }
}
