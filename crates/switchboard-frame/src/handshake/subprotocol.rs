//! The subprotocols that a client offers, and the choice among them.

use http::{HeaderMap, HeaderValue, header};

use super::{Refusal, list};

/// The most subprotocols that a client may offer.
pub const MAX_SUBPROTOCOLS: usize = 64;

/// The most bytes of their header: enough to carry a token.
pub const MAX_SUBPROTOCOL_BYTES: usize = 8 * 1024;

/// Returns the subprotocols that a client offers, in its order of preference. Elements that are not
/// tokens are left out; [`Request::check`](super::Request::check) refuses them.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header};
///
/// let mut headers = HeaderMap::new();
/// headers.append(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("a, b"));
/// headers.append(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("c"));
/// assert!(switchboard_frame::handshake::offered_subprotocols(&headers).eq(["a", "b", "c"]));
/// ```
pub fn offered_subprotocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    list::elements(headers, &header::SEC_WEBSOCKET_PROTOCOL).filter_map(list::token)
}

/// Returns the first of the known subprotocols, in the server's order, that the client offers. Case
/// matters.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header};
/// use switchboard_frame::handshake::choose_subprotocol;
///
/// let mut headers = HeaderMap::new();
/// headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("a, b"));
/// assert_eq!(choose_subprotocol(&headers, &["b", "a"]), Some("b"));
/// assert_eq!(choose_subprotocol(&headers, &["c"]), None);
/// ```
pub fn choose_subprotocol<'k, S: AsRef<str>>(headers: &HeaderMap, known: &'k [S]) -> Option<&'k str> {
    known.iter().map(AsRef::as_ref).find(|known| offered_subprotocols(headers).any(|offered| offered == *known))
}

/// Checks the offered subprotocols. Empty elements are allowed, as in every list of HTTP, but
/// count. A header with only empty elements is not a list. A repeated element is against the RFC,
/// but harmless. Reads each byte at most twice.
pub(super) fn check(headers: &HeaderMap) -> Result<(), Refusal> {
    if !headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL) {
        return Ok(());
    }
    let bytes: usize = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().map(HeaderValue::len).sum();
    if bytes > MAX_SUBPROTOCOL_BYTES {
        return Err(Refusal::TooManySubprotocols);
    }
    let mut some = false;
    for (i, element) in list::elements(headers, &header::SEC_WEBSOCKET_PROTOCOL).enumerate() {
        if i == MAX_SUBPROTOCOLS {
            return Err(Refusal::TooManySubprotocols);
        }
        if !element.is_empty() {
            list::token(element).ok_or(Refusal::Subprotocol)?;
            some = true;
        }
    }
    if some { Ok(()) } else { Err(Refusal::Subprotocol) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(lines: &[&str]) -> HeaderMap {
        let lines = lines.iter().map(|line| HeaderValue::from_str(line).unwrap());
        lines.map(|line| (header::SEC_WEBSOCKET_PROTOCOL, line)).collect()
    }

    #[test]
    fn rfc_6455_11_3_4_an_offer_may_have_several_lines() {
        let headers = offer(&["a , b", "", ",c,,", "bearer.x_y-z", "a"]);
        assert_eq!(check(&headers), Ok(()));
        assert!(offered_subprotocols(&headers).eq(["a", "b", "c", "bearer.x_y-z", "a"]));
    }

    #[test]
    fn the_servers_order_decides() {
        let headers = offer(&["a, b, B"]);
        assert_eq!(choose_subprotocol(&headers, &["x", "B", "a"]), Some("B"));
        assert_eq!(choose_subprotocol(&headers, &["x".to_owned()]), None);
        assert_eq!(choose_subprotocol(&HeaderMap::new(), &["a"]), None);
        assert_eq!(choose_subprotocol(&headers, &[""]), None);
    }

    #[test]
    fn rfc_6455_4_1_subprotocols_are_tokens() {
        for line in ["a b", "a/b", "a=", "\"a\"", "é", "a, b;q=1", "", "  ", ",", " , ,"] {
            assert_eq!(check(&offer(&[line])), Err(Refusal::Subprotocol), "{line}");
        }
        // The valid elements are still returned.
        assert!(offered_subprotocols(&offer(&["a, b/c, d"])).eq(["a", "d"]));
    }

    #[test]
    fn at_most_64_subprotocols_are_accepted() {
        let list = |n: usize| vec!["a"; n].join(",");
        assert_eq!(check(&offer(&[&list(64)])), Ok(()));
        assert_eq!(check(&offer(&[&list(65)])), Err(Refusal::TooManySubprotocols));
        assert_eq!(check(&offer(&[&list(60), &list(5)])), Err(Refusal::TooManySubprotocols));
        assert_eq!(check(&offer(&[&list(1000)])), Err(Refusal::TooManySubprotocols));
        // Too many bytes are refused, too.
        assert_eq!(check(&offer(&[&format!("a{},b", " ".repeat(10_000))])), Err(Refusal::TooManySubprotocols));
        assert_eq!(check(&offer(&[&",".repeat(10_000)])), Err(Refusal::TooManySubprotocols));
    }

    #[test]
    fn an_offer_of_ten_thousand_spaces_is_refused() {
        let spaces = " ".repeat(10_000);
        for line in [spaces.clone(), format!("a{spaces}b"), format!("{spaces}a{spaces}")] {
            assert_eq!(check(&offer(&[&line])), Err(Refusal::TooManySubprotocols));
        }
        let spaces = " ".repeat(2000);
        for line in [spaces.clone(), format!("a{spaces}b"), format!("{spaces}a{spaces}b{spaces}")] {
            assert_eq!(check(&offer(&[&line])), Err(Refusal::Subprotocol));
        }
        // Around a token, spaces are ignored.
        assert_eq!(check(&offer(&[&format!("{spaces}a{spaces}")])), Ok(()));
    }
}
