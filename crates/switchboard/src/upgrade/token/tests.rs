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
fn the_first_token_found_is_used() {
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
    let blank = [("authorization", "Bearer  "), ("cookie", "auth=%20"), ("sec-websocket-protocol", "bearer.%20%09")];
    let mut blank = parts("/?access_token=+", &blank);
    assert_eq!(TokenSources::new().cookie("auth").custom(|_| Some(" \t".to_owned())).find(&mut blank), None);
    assert_eq!(entry(&blank), None);
    let entries = [("sec-websocket-protocol", "bearer.%20, bearer.b")];
    assert_eq!(all().find(&mut parts("/", &entries)).as_deref(), Some("b"));
}

#[test]
fn empty_tokens_are_skipped_and_tokens_are_decoded() {
    for (cookies, expected) in [
        (&["auth=; auth=c"][..], Some("c")),
        (&["auth=;x=1", "auth=\"\"", "y=2; auth=c; auth=d"], Some("c")),
        (&["auth=%20; auth=a%2Fb%3D%3d"], Some("a/b==")),
        (&["auth=\"a%22b\""], Some("a\"b")),
        // Not written by `encodeURIComponent`.
        (&["auth=a+b%"], Some("a+b%")),
        (&["auth=%zz%4"], Some("%zz%4")),
        (&["auth=%ff"], Some("%ff")),
        (&["auth=\"c"], Some("\"c")),
        (&["xauth=c", "auth"], None),
    ] {
        let headers: Vec<_> = cookies.iter().map(|cookie| ("cookie", *cookie)).collect();
        assert_eq!(all().cookie("auth").find(&mut parts("/", &headers)).as_deref(), expected, "{cookies:?}");
    }
    for (uri, expected) in [
        ("/?access_token=&access_token=q", Some("q")),
        ("/?access_token=%20&access_token=a%2Bb%2F%3D", Some("a+b/=")),
        ("/?access_token=a+b", Some("a b")),
        ("/?access_token", None),
    ] {
        assert_eq!(TokenSources::new().find(&mut parts(uri, &[])).as_deref(), expected, "{uri}");
    }
    let entries = [("sec-websocket-protocol", "bearer."), ("sec-websocket-protocol", "bearer.a%2Fb+c, bearer.d")];
    let mut used = parts("/", &entries);
    assert_eq!(TokenSources::new().find(&mut used).as_deref(), Some("a/b+c"));
    assert_eq!(entry(&used), Some(("bearer.a%2Fb+c", "a/b+c".to_owned())));
    let headers = [("authorization", "Basic eDp5"), ("authorization", "Bearer "), ("authorization", "Bearer h")];
    assert_eq!(TokenSources::new().find(&mut parts("/", &headers)).as_deref(), Some("h"));
}

#[test]
fn a_token_matches_only_itself() {
    let token = BearerToken("secret".into());
    assert!(token.matches("secret") && token.matches(b"secret"));
    for other in ["", "secre", "secrets", "Secret", "secreu", "terces"] {
        assert!(!token.matches(other), "{other}");
    }
}

#[test]
fn query_names_are_configurable_and_decoded() {
    let sources = TokenSources::new().query("token");
    assert_eq!(sources.find(&mut parts("/?access_token=a&token=b%20c", &[])).as_deref(), Some("b c"));
    assert_eq!(TokenSources::none().find(&mut parts("/?access_token=a", &[("authorization", "Bearer b")])), None);
}

#[test]
fn debug_does_not_show_the_token() {
    assert_eq!(format!("{:?}", BearerToken("hunter2".into())), "BearerToken(…)");
}
