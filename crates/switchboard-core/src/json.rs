//! Tokens of JSON text.
//!
//! For text that a parser has accepted before: commas and colons are skipped like white space. Any
//! other text gives some tokens, too, without a panic.

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    BeginObject,
    EndObject,
    BeginArray,
    EndArray,
    /// With its quotes, and with the escapes as they are written.
    String(&'a str),
    Number(&'a str),
    Bool(bool),
    Null,
}

/// Splits a text into tokens. A copy of it marks a position to come back to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next token; `None` at the end, and at what starts none.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Token<'a>> {
        let start = self.start()?;
        let bytes = self.text.as_bytes();
        let (token, len) = match bytes[start] {
            b'{' => (Token::BeginObject, 1),
            b'}' => (Token::EndObject, 1),
            b'[' => (Token::BeginArray, 1),
            b']' => (Token::EndArray, 1),
            b'"' => {
                let len = string_len(&bytes[start..])?;
                (Token::String(self.text.get(start..start + len)?), len)
            }
            b'-' | b'0'..=b'9' => {
                let number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
                let len = bytes[start..].iter().take_while(|byte| number(byte)).count();
                (Token::Number(self.text.get(start..start + len)?), len)
            }
            b't' => (Token::Bool(true), 4),
            b'f' => (Token::Bool(false), 5),
            b'n' => (Token::Null, 4),
            _ => return None,
        };
        self.at = start + len;
        #[cfg(test)]
        visits::add(self.at - start);
        Some(token)
    }

    /// The first byte of the next token, which tells its kind.
    #[inline]
    pub(crate) fn peek_byte(&self) -> Option<u8> {
        self.start().map(|start| self.text.as_bytes()[start])
    }

    /// Where the next token starts.
    #[inline]
    pub(crate) fn position(&self) -> usize {
        self.start().unwrap_or(self.text.len())
    }

    /// Whether nothing was passed since the copy was made.
    #[inline]
    pub(crate) fn is_still_at(&self, copy: &Self) -> bool {
        self.at == copy.at
    }

    /// Passes one value and gives its text.
    pub(crate) fn value(&mut self) -> Option<&'a str> {
        let start = self.start()?;
        let bytes = self.text.as_bytes();
        if !matches!(bytes[start], b'{' | b'[') {
            self.next()?;
            return self.text.get(start..self.at);
        }
        let (mut at, mut depth) = (start, 0_usize);
        loop {
            match bytes.get(at)? {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.checked_sub(1)?,
                b'"' => at += string_len(&bytes[at..])? - 1,
                _ => {}
            }
            at += 1;
            if depth == 0 {
                self.at = at;
                #[cfg(test)]
                visits::add(at - start);
                return self.text.get(start..at);
            }
        }
    }

    #[inline]
    fn start(&self) -> Option<usize> {
        let rest = self.text.as_bytes().get(self.at..)?;
        rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':')).map(|n| self.at + n)
    }
}

/// How long the string at the start of `bytes` is, quotes included.
#[inline]
fn string_len(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// How many bytes of text the lexers of this thread have passed: what tests of costs count.
#[cfg(test)]
pub(crate) mod visits {
    use std::cell::Cell;

    thread_local!(static VISITED: Cell<usize> = const { Cell::new(0) });

    pub(crate) fn add(bytes: usize) {
        VISITED.set(VISITED.get() + bytes);
    }

    /// Those since the last call.
    pub(crate) fn take() -> usize {
        VISITED.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_a_document() {
        let mut lexer = Lexer::new(r#" {"a\"}" : [1.5e3 ,true,null, {}], "b":"é"} "#);
        let mut tokens = Vec::new();
        while let Some(token) = lexer.next() {
            tokens.push(token);
        }
        use Token::{BeginArray, BeginObject, Bool, EndArray, EndObject, Null, Number, String};
        assert_eq!(
            tokens,
            [
                BeginObject,
                String(r#""a\"}""#),
                BeginArray,
                Number("1.5e3"),
                Bool(true),
                Null,
                BeginObject,
                EndObject,
                EndArray,
                String(r#""b""#),
                String("\"é\""),
                EndObject
            ]
        );
    }

    #[test]
    fn values_are_passed_whole() {
        let mut lexer = Lexer::new(r#"{"a":[{"b":"]}\\"},2],"c":3}"#);
        assert_eq!(lexer.next(), Some(Token::BeginObject));
        assert_eq!(lexer.value(), Some("\"a\""));
        assert_eq!(lexer.value(), Some(r#"[{"b":"]}\\"},2]"#));
        assert_eq!((lexer.value(), lexer.value()), (Some("\"c\""), Some("3")));
        assert_eq!(lexer.peek_byte(), Some(b'}'));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[\\[\\]{}\"\\\\,: 0-9etfn.é-]{0,40}") {
            let mut lexer = Lexer::new(&text);
            while lexer.next().is_some() {}
            let mut lexer = Lexer::new(&text);
            while lexer.value().is_some() {}
        }
    }
}
