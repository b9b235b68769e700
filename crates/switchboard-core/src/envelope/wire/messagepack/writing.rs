//! JSON text as a value that serialises.
//!
//! Not through serde_json's deserializer: that hands numbers over as objects if it is built so, and does
//! not know how long arrays and objects are, for which each level would be copied once more.

use std::{borrow::Cow, cell::RefCell};

use serde::{
    Serialize, Serializer,
    ser::{Error, SerializeMap as _, SerializeSeq as _},
};

use super::MAX_DEPTH;
use crate::json::{Lexer, Token};

/// A whole document, to be serialised once.
pub(super) struct Document<'a>(RefCell<Cursor<'a>>);

struct Cursor<'a> {
    lexer: Lexer<'a>,
    /// How many elements or members each array and object has, in the order of their beginnings.
    lens: std::vec::IntoIter<usize>,
}

impl<'a> Document<'a> {
    /// `None` if it is none, or nested too deeply.
    pub(super) fn of(json: &'a str) -> Option<Self> {
        serde_json::from_str::<serde::de::IgnoredAny>(json).ok()?;
        Some(Self(RefCell::new(Cursor { lexer: Lexer::new(json), lens: lens(json)?.into_iter() })))
    }

    fn next(&self) -> Option<Token<'a>> {
        self.0.borrow_mut().lexer.next()
    }

    fn next_len(&self) -> Option<usize> {
        self.0.borrow_mut().lens.next()
    }
}

fn lens(json: &str) -> Option<Vec<usize>> {
    let mut lens: Vec<usize> = Vec::new();
    // Those that are open: which they are, and whether they are objects.
    let mut open: Vec<(usize, bool)> = Vec::new();
    let mut lexer = Lexer::new(json);
    while let Some(token) = lexer.next() {
        if matches!(token, Token::EndArray | Token::EndObject) {
            let (index, is_object) = open.pop()?;
            // Keys and values were counted.
            lens[index] /= if is_object { 2 } else { 1 };
            continue;
        }
        if let Some((index, _)) = open.last() {
            lens[*index] += 1;
        }
        if matches!(token, Token::BeginArray | Token::BeginObject) {
            if open.len() >= MAX_DEPTH {
                return None;
            }
            open.push((lens.len(), token == Token::BeginObject));
            lens.push(0);
        }
    }
    Some(lens)
}

/// The next value of a document.
struct Next<'d, 'a>(&'d Document<'a>);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Next(self).serialize(serializer)
    }
}

impl Serialize for Next<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let document = self.0;
        let cut_off = || S::Error::custom("the document is cut off");
        match document.next().ok_or_else(cut_off)? {
            Token::BeginArray => {
                let len = document.next_len().ok_or_else(cut_off)?;
                let mut seq = serializer.serialize_seq(Some(len))?;
                for _ in 0..len {
                    seq.serialize_element(self)?;
                }
                document.next();
                seq.end()
            }
            Token::BeginObject => {
                let len = document.next_len().ok_or_else(cut_off)?;
                let mut map = serializer.serialize_map(Some(len))?;
                for _ in 0..len {
                    map.serialize_entry(self, self)?;
                }
                document.next();
                map.end()
            }
            Token::String(quoted) => serializer.serialize_str(&unescape::<S>(quoted)?),
            Token::Number(text) => number(text, serializer),
            Token::Bool(value) => serializer.serialize_bool(value),
            Token::Null => serializer.serialize_unit(),
            Token::EndArray | Token::EndObject => Err(cut_off()),
        }
    }
}

fn unescape<S: Serializer>(quoted: &str) -> Result<Cow<'_, str>, S::Error> {
    match quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain)),
        _ => serde_json::from_str(quoted).map(Cow::Owned).map_err(S::Error::custom),
    }
}

fn number<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    if !text.contains(['.', 'e', 'E']) && text != "-0" {
        if let Ok(value) = text.parse() {
            return serializer.serialize_u64(value);
        }
        if let Ok(value) = text.parse() {
            return serializer.serialize_i64(value);
        }
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => serializer.serialize_f64(value),
        _ => Err(S::Error::custom("a number is out of range")),
    }
}
