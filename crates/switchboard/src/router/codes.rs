//! Error codes of the application that a request may fail with.

/// Codes of one request.
const MAX: usize = 8;

/// Codes in a fixed place, so that [`RouteOptions`](super::RouteOptions) can stand in a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Codes([Option<&'static str>; MAX]);

impl Codes {
    pub(super) const NONE: Self = Self([None; MAX]);

    #[track_caller]
    pub(super) const fn with(mut self, code: &'static str) -> Self {
        assert!(is_code(code), "an error code consists of up to 64 letters A-Z, digits and `_`: `SOLD_OUT`");
        let mut at = 0;
        while at < MAX {
            if self.0[at].is_none() {
                self.0[at] = Some(code);
                return self;
            }
            at += 1;
        }
        panic!("a request has at most 8 error codes of its own");
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.0.into_iter().flatten()
    }
}

/// Whether the code begins with a letter and has only what the protocol's codes have.
const fn is_code(code: &str) -> bool {
    let bytes = code.as_bytes();
    if bytes.is_empty() || bytes.len() > 64 || !bytes[0].is_ascii_uppercase() {
        return false;
    }
    let mut at = 1;
    while at < bytes.len() {
        if !bytes[at].is_ascii_uppercase() && !bytes[at].is_ascii_digit() && bytes[at] != b'_' {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_look_like_those_of_the_protocol() {
        assert!(["A", "SOLD_OUT", "E404"].into_iter().all(is_code));
        assert!(!["", "sold_out", "_A", "4A", "SOLD-OUT", "SOLD OUT"].into_iter().any(is_code));
        assert!(!is_code(&"A".repeat(65)));
    }

    #[test]
    fn codes_stay_in_order() {
        const CODES: Codes = Codes::NONE.with("SOLD_OUT").with("CLOSED");
        assert_eq!(CODES.iter().collect::<Vec<_>>(), ["SOLD_OUT", "CLOSED"]);
    }

    #[test]
    #[should_panic(expected = "at most 8 error codes")]
    fn there_are_at_most_eight() {
        let _ = ["A"; 9].into_iter().fold(Codes::NONE, Codes::with);
    }
}
