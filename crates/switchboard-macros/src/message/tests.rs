use insta::assert_snapshot;

use super::*;
use crate::testing::{errors, pretty};

fn expand_ws_message(attr: TokenStream, item: TokenStream) -> TokenStream {
    super::expand_ws_message(Krate::Switchboard, attr, item)
}

fn expand_ws_rpc(attr: TokenStream, item: TokenStream) -> TokenStream {
    super::expand_ws_rpc(Krate::Switchboard, attr, item)
}

fn expand_derive_ws_message(item: TokenStream) -> TokenStream {
    super::expand_derive_ws_message(Krate::Switchboard, item)
}

fn message(attr: TokenStream, item: TokenStream) -> String {
    pretty(&expand_ws_message(attr, item))
}

fn rpc(attr: TokenStream, item: TokenStream) -> String {
    pretty(&expand_ws_rpc(attr, item))
}

#[test]
fn event() {
    assert_snapshot!(message(
        quote!("JOIN_ROOM"),
        quote! {
            /// Asks to enter a room.
            #[derive(Debug)]
            pub struct JoinRoom {
                pub room_id: String,
            }
        }
    ));
}

#[test]
fn event_with_rules() {
    assert_snapshot!(message(
        quote!("JOIN_ROOM"),
        quote! {
            struct JoinRoom {
                #[validate(length(min = 1, max = 50))]
                room_id: String,
                #[serde(rename = "type")]
                kind: u8,
                #[serde(rename(serialize = "outbound", deserialize = "inbound"))]
                r#final: bool,
                #[serde(rename(serialize = "only_written"))]
                written: bool,
            }
        }
    ));
}

#[test]
fn all_options() {
    let attr = quote!("ROOM_NOTE", rename_all = "snake_case", allow_unknown, meta = RoomMeta, crate = crate::ws,);
    assert_snapshot!(message(
        attr,
        quote! {
            pub(crate) struct RoomNote {
                text: String,
            }
        }
    ));
}

#[test]
fn unit_and_empty() {
    let unit = expand_ws_message(
        quote!("PING"),
        quote!(
            pub struct Ping;
        ),
    );
    let empty = expand_ws_message(
        quote!("LEAVE"),
        quote!(
            pub struct Leave {}
        ),
    );
    assert_snapshot!(pretty(&quote!(#unit #empty)));
}

#[test]
fn nested_rules() {
    assert_snapshot!(message(
        quote!("POST"),
        quote! {
            struct Post {
                #[validate(nested)]
                attachment: Attachment,
            }
        }
    ));
}

#[test]
fn request() {
    assert_snapshot!(rpc(
        quote!("ADD", response = Sum, progress = Step),
        quote! {
            struct Add {
                a: f64,
                b: f64,
            }
        }
    ));
}

#[test]
fn stacked_in_either_order() {
    let tagged = message(
        quote!("ADD"),
        quote!(
            #[switchboard::ws_rpc(response = Vec<Sum>)]
            #[derive(Debug)]
            struct Add;
        ),
    );
    let reversed = rpc(
        quote!(response = Vec<Sum>),
        quote!(
            #[ws_message("ADD")]
            #[derive(Debug)]
            struct Add;
        ),
    );
    // A path needs no import.
    assert_eq!(tagged, reversed.replace("    #[allow(unused_imports)]\n    use ws_message as _;\n", ""));
    assert_snapshot!(tagged);
}

#[test]
fn derived() {
    assert_snapshot!(pretty(&expand_derive_ws_message(quote! {
        #[ws(type = "ADD", response = Sum, progress = Step, meta = M)]
        #[ws(allow_unknown, crate = my::switchboard, validate_with = rules::add)]
        struct Add {
            a: f64,
        }
    })));
}

#[test]
fn derived_with_rules() {
    assert_snapshot!(pretty(&expand_derive_ws_message(quote! {
        #[ws(type = "ADD")]
        struct Add {
            #[serde(rename = "A")]
            #[validate(range(min = 0.0))]
            a: f64,
        }
    })));
}

#[test]
fn mistakes_in_the_tag() {
    let long = "x".repeat(129);
    let attrs = [
        quote!(),
        quote!(JOIN),
        quote!(42, meta = M),
        quote!(""),
        quote!("a\n"),
        quote!("$ws:x"),
        quote!("__x"),
        quote!("ERROR"),
        quote!(#long),
        quote!(meta = M),
    ];
    let all: String = attrs
        .map(|attr| {
            errors(&expand_ws_message(
                attr,
                quote!(
                    struct Join {}
                ),
            ))
        })
        .concat();
    assert_snapshot!(all);
}

#[test]
fn mistakes_in_the_options() {
    let attrs = [
        quote!("JOIN", allow_unkown),
        quote!("JOIN", topic = "x", allow_unknown),
        quote!("JOIN", meta = A, meta = B),
        quote!("JOIN", response = Sum),
        quote!("JOIN", meta),
        quote!("JOIN", meta =),
        quote!("JOIN", meta = 3, crate = "text"),
        quote!("JOIN", rename_all = "camelcase"),
        quote!("JOIN", rename_all = other),
        quote!("JOIN", allow_unknown = true),
        quote!("JOIN" meta = A),
        quote!("JOIN", "MORE"),
    ];
    let all: String = attrs
        .map(|attr| {
            errors(&expand_ws_message(
                attr,
                quote!(
                    struct Join {}
                ),
            ))
        })
        .concat();
    assert_snapshot!(all);
}

#[test]
fn mistakes_in_a_request() {
    let cases = [
        expand_ws_rpc(
            quote!("ADD"),
            quote!(
                struct Add {}
            ),
        ),
        expand_ws_rpc(
            quote!(response = Sum),
            quote!(
                struct Add {}
            ),
        ),
        expand_ws_rpc(
            quote!("ADD", response = Sum),
            quote!(
                #[ws_message("ADD")]
                struct Add {}
            ),
        ),
        expand_ws_message(
            quote!("ADD"),
            quote!(
                #[ws_rpc]
                struct Add {}
            ),
        ),
        expand_ws_message(
            quote!("ADD", meta = A),
            quote!(
                #[ws_rpc(response = Sum, meta = B)]
                struct Add {}
            ),
        ),
        expand_ws_message(
            quote!("ADD"),
            quote!(
                #[ws_message("SUB")]
                #[ws_payload]
                struct Add {}
            ),
        ),
        expand_ws_rpc(
            quote!("ADD", response = Sum),
            quote!(
                #[ws_rpc("ADD", response = Sum)]
                struct Add {}
            ),
        ),
        expand_derive_ws_message(quote!(
            #[ws(type = "ADD", progress = Step)]
            struct Add {}
        )),
        expand_derive_ws_message(quote!(
            struct Add {}
        )),
        expand_derive_ws_message(quote!(
            #[ws(type = 3, renam = 1)]
            struct Add {}
        )),
    ];
    assert_snapshot!(cases.map(|case| errors(&case)).concat());
}

#[test]
fn wrong_types() {
    let items = [
        quote!(
            enum Join {
                A,
            }
        ),
        quote!(union Join { a: u8 }),
        quote!(
            struct Join<T> {
                a: T,
            }
        ),
        quote!(
            struct Join(String);
        ),
        quote!(
            fn join() {}
        ),
    ];
    let all: String = items.map(|item| message(quote!("JOIN"), item)).concat();
    assert_snapshot!(all);
}

/// A mistake removes neither the type nor its impls.
#[test]
fn the_item_stays() {
    assert_snapshot!(message(
        quote!("JOIN", metta = M),
        quote!(
            struct Join {
                a: u8,
            }
        )
    ));
}
