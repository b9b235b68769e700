//! Finds the place of a fault inside a value that serde buffered.
//!
//! For `flatten`, `untagged` and tagged enums, serde reads values into a buffer and decodes from
//! there, where paths are not known. Known are the refused value, or the name of a field that is
//! missing or unknown. If exactly one place in the buffered text fits, it is reported; otherwise
//! only the whole value is called invalid.

use super::{
    fault::{Fault, FaultKind, Seen},
    findings::Declared,
    path::{Path, cut},
    reader::{Context, unescape},
};
use crate::json::{Lexer, Token};

impl Fault {
    /// Places a fault in the value that starts at `start`.
    pub(super) fn blame(self, start: Lexer<'_>, path: &Path<'_>, context: Context<'_>) -> Self {
        if self.is_placed() {
            return self;
        }
        if let FaultKind::Duplicate = self.kind {
            return self.at(path, "");
        }
        let mut search = Search { kind: &self.kind, context, found: None, count: 0 };
        let inside = context.buffered || context.findings.is_buffered(start.position());
        search.value(&mut { start }, path, inside, true);
        match search {
            Search { found: Some(found), count: 1, .. } => self.at_written(found),
            _ => self.vague(path),
        }
    }

    /// Returns the missing field, if it is one of these.
    pub(super) fn missing_among(&self, declared: Option<Declared>) -> Option<&'static str> {
        match self.kind {
            FaultKind::Missing(field) if !self.is_placed() && declared?.fields.contains(&field) => Some(field),
            _ => None,
        }
    }
}

struct Search<'s> {
    kind: &'s FaultKind,
    context: Context<'s>,
    found: Option<String>,
    count: usize,
}

impl Search<'_> {
    fn hit(&mut self, path: &Path<'_>) {
        self.count += 1;
        if self.count == 1 {
            self.found = Some(path.write());
        }
    }

    /// Passes a value. `inside`: in a buffer. `outermost`: the value that the fault came from.
    fn value(&mut self, lexer: &mut Lexer<'_>, path: &Path<'_>, inside: bool, outermost: bool) -> Option<()> {
        if self.count > 1 {
            return None;
        }
        match lexer.next()? {
            Token::BeginArray => {
                if inside && !outermost && matches!(self.kind, FaultKind::Type(Some(Seen::Array))) {
                    self.hit(path);
                }
                let mut index = 0;
                while lexer.peek_byte()? != b']' {
                    self.member(lexer, &path.item(index), inside)?;
                    index += 1;
                }
                lexer.next()?;
            }
            Token::BeginObject => {
                if inside && !outermost && matches!(self.kind, FaultKind::Type(Some(Seen::Object))) {
                    self.hit(path);
                }
                self.object(lexer, path, inside, outermost)?;
            }
            Token::String(quoted) if inside && self.is_text(quoted) => self.hit(path),
            Token::Number(text) if inside => {
                if let FaultKind::Type(Some(seen)) = self.kind
                    && is_number(text, seen)
                {
                    self.hit(path);
                }
            }
            Token::Bool(value)
                if inside && matches!(self.kind, FaultKind::Type(Some(Seen::Bool(b))) if *b == value) =>
            {
                self.hit(path);
            }
            Token::Null if inside && matches!(self.kind, FaultKind::Type(Some(Seen::Null))) => self.hit(path),
            _ => {}
        }
        Some(())
    }

    fn is_text(&self, quoted: &str) -> bool {
        unescape(quoted).is_some_and(|text| match self.kind {
            FaultKind::Type(Some(Seen::Text(start, len))) => *len == text.len() && cut(&text) == start,
            FaultKind::Variant(variant) => cut(&text) == variant,
            _ => false,
        })
    }

    fn object(&mut self, lexer: &mut Lexer<'_>, path: &Path<'_>, inside: bool, outermost: bool) -> Option<()> {
        let named: Option<&str> = match self.kind {
            FaultKind::Missing(field) => Some(field),
            FaultKind::Unknown(field) => Some(field),
            _ => None,
        };
        let mut has_named = false;
        while lexer.peek_byte()? == b'"' {
            let Token::String(quoted) = lexer.next()? else { return None };
            let key = unescape(quoted)?;
            has_named |= named.is_some_and(|name| name == key);
            self.member(lexer, &path.key(&key), inside)?;
        }
        lexer.next()?;
        if let Some(name) = named
            && (inside || outermost)
            && has_named == matches!(self.kind, FaultKind::Unknown(_))
        {
            self.hit(&path.key(name));
        }
        Some(())
    }

    /// Passes an element or member. Only a buffered one can have the fault.
    fn member(&mut self, lexer: &mut Lexer<'_>, path: &Path<'_>, inside: bool) -> Option<()> {
        if inside || self.context.findings.is_buffered(lexer.position()) {
            self.value(lexer, path, true, false)
        } else {
            lexer.value().map(|_| ())
        }
    }
}

fn is_number(text: &str, seen: &Seen) -> bool {
    match seen {
        Seen::Unsigned(n) => text.parse() == Ok(*n),
        Seen::Signed(n) => text.parse() == Ok(*n),
        Seen::Float(n) => text.contains(['.', 'e', 'E']) && serde_json::from_str::<f64>(text).ok() == Some(*n),
        _ => false,
    }
}
