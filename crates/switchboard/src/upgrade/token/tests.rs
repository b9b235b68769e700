use super::*;

fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = http::Request::builder().uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn all() -> TokenSources {
    TokenSources::new().cookie("auth").custom(|parts| Some(parts.uri.path().trim_start_matches('/').to_owned()))
}

#[test]
fn protocol_4_first_found_wins() {
    let sources: [(&str, &str); 4] = [
        ("authorization", "bearer h"),
        ("cookie", "x=é; auth=\"c\"; auth=d"),
        ("sec-websocket-protocol", "chat, bearer.s, bearer.t"),
        ("x", "y"),
    ];
    for (skip, uri, expected) in [
        (0, "/p?access_token=q", "h"),
        (1, "/p?access_token=q", "c"),
        (2, "/p?access_token=q", "q"),
        (2, "/p", "s"),
        (3, "/p", "p"),
    ] {
        assert_eq!(all().find(&mut parts(uri, &sources[skip..])).as_deref(), Some(expected), "{skip} {uri}");
    }
    assert_eq!(all().find(&mut parts("/", &[])), None);
}

#[test]
fn empty_tokens_are_none() {
    let headers = [("authorization", "Bearer "), ("cookie", "auth="), ("sec-websocket-protocol", "bearer.")];
    assert_eq!(all().find(&mut parts("/?access_token=", &headers)), None);
}

#[test]
fn query_names_are_configurable_and_decoded() {
    let sources = TokenSources::new().query("token");
    assert_eq!(sources.find(&mut parts("/?access_token=a&token=b%20c", &[])).as_deref(), Some("b c"));
    assert_eq!(TokenSources::none().find(&mut parts("/?access_token=a", &[("authorization", "Bearer b")])), None);
}

#[test]
fn only_the_entry_that_was_used_is_remembered() {
    let mut used = parts("/", &[("sec-websocket-protocol", "bearer.s")]);
    all().find(&mut used);
    assert_eq!(used.extensions.get::<TokenEntry>().map(|e| e.0.as_str()), Some("bearer.s"));
    let mut unused = parts("/", &[("sec-websocket-protocol", "bearer.s"), ("authorization", "Bearer h")]);
    all().find(&mut unused);
    assert!(unused.extensions.get::<TokenEntry>().is_none());
}

#[test]
fn debug_does_not_show_the_token() {
    assert_eq!(format!("{:?}", BearerToken("hunter2".into())), "BearerToken(…)");
}
