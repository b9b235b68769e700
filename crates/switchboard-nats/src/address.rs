//! Where a server is, and as whom to log in.

use async_nats::ServerAddr;
use switchboard_core::broker::{BrokerError, BrokerErrorKind};
use url::Url;

use crate::login::Login;

/// Reads `nats://user:password@host:port`, or `tls://…`.
pub(crate) fn parse_url(text: &str) -> Result<(ServerAddr, Option<Login>), BrokerError> {
    // Without the text, which may contain a password.
    let rejected = |detail: &str| {
        let detail = format!("the URL {detail}; expected is `nats://user:password@host:port`, or `tls://…`");
        BrokerError::new(BrokerErrorKind::Rejected, detail)
    };
    let mut url = Url::parse(text).map_err(|error| rejected(&format!("cannot be read ({error})")))?;
    match url.scheme() {
        "nats" => {}
        "tls" if cfg!(feature = "tls") => {}
        "tls" => return Err(rejected("asks for TLS, which needs the feature `tls` of switchboard-nats")),
        other => return Err(rejected(&format!("has the scheme `{other}`"))),
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(rejected("names no host"));
    }
    let decode = |text: &str| {
        // A form of one key, whose values are percent-decoded.
        let plus = text.replace('+', "%2B");
        url::form_urlencoded::parse(format!("v={plus}").as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    let user = Some(url.username()).filter(|user| !user.is_empty()).and_then(decode);
    let password = url.password().and_then(decode);
    // The client gets the login apart from the address.
    url.set_username("").map_err(|()| rejected("cannot be read"))?;
    url.set_password(None).map_err(|()| rejected("cannot be read"))?;
    let server = ServerAddr::from_url(url).map_err(|error| rejected(&format!("cannot be read ({error})")))?;
    let login = (user.is_some() || password.is_some()).then_some(Login::Password { user, password });
    Ok((server, login))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_passwords_are_decoded_and_not_printed() {
        let (server, login) = parse_url("nats://ann:p%40ss+w%2Frd%26x@h").unwrap();
        assert_eq!((server.host(), server.port()), ("h", 4222));
        assert!(!format!("{login:?} {server:?}").contains("ss+w"));
        let Some(Login::Password { user, password }) = login else { panic!("a user and a password") };
        assert_eq!((user.as_deref(), password.as_deref()), (Some("ann"), Some("p@ss+w/rd&x")));
    }

    #[test]
    fn wrong_urls_are_refused_without_repeating_the_password() {
        for url in ["", "localhost:4222", "http://:secret@h", "nats://", "nats://:secret@h:x"] {
            let error = parse_url(url).unwrap_err().to_string();
            assert!(error.contains("nats://user:password@host:port") && !error.contains("secret"), "{error}");
        }
    }
}
