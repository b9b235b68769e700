use insta::assert_snapshot;

use super::*;
use crate::testing::{errors, pretty};

fn handlers(attr: TokenStream, item: TokenStream) -> String {
    pretty(&expand_ws_handlers(attr, item))
}

#[test]
fn methods_functions_and_hooks() {
    assert_snapshot!(handlers(
        quote!(state = App, data = User),
        quote! {
            impl Chat {
                async fn join(&self, conn: Conn<User>, State(app): State<App>, mut msg: JoinRoom) -> Result<(), WsError> {
                    Ok(())
                }

                async fn stat(_: Stat) {}

                #[cfg(feature = "admin")]
                async fn kick(&self, msg: Kick) {}

                #[ws(on_open)]
                async fn opened(&self, conn: Conn<User>) {}

                #[ws(on_close)]
                async fn closed(conn: Conn<User>, reason: CloseReason) {}

                #[ws(on_error)]
                async fn failed(&self) {}

                #[ws(skip)]
                async fn load(&self, id: u64) -> Room {
                    unreachable!()
                }

                async fn reload(&self) {}

                fn rooms(&self, of: &User) -> usize {
                    0
                }
            }
        }
    ));
}

#[test]
fn without_arguments_and_self() {
    assert_snapshot!(handlers(
        quote!(),
        quote! {
            impl Math {
                async fn add(msg: Add) -> Sum {
                    Sum { result: msg.a + msg.b }
                }
            }
        }
    ));
}

#[test]
fn typed_sending() {
    assert_snapshot!(handlers(
        quote!(out = ServerMessage, crate = crate::ws),
        quote! {
            #[cfg(unix)]
            impl chat::Rooms<u8> {
                async fn add(&self, msg: Add) -> Sum {
                    unreachable!()
                }
            }
        }
    ));
}

#[test]
fn mistakes_in_methods() {
    assert_snapshot!(errors(&expand_ws_handlers(
        quote!(),
        quote! {
            impl Chat {
                #[ws(on)]
                fn sync(&self, msg: Join) {}
                async fn mutable(&mut self, msg: Join) {}
                async fn owned(self, msg: Join) {}
                async fn shared(self: Arc<Self>, msg: Join) {}
                async fn generic<T: Message>(&self, msg: T) {}
                async fn hidden(&self, msg: impl Message) {}
                async fn many(&self, a: A, b: A, c: A, d: A, e: A, f: A, g: A, h: A, i: A, msg: Join) {}
                #[ws(on)]
                async fn nothing(&self) {}
                #[ws(on_open)]
                fn opened(&self) {}
                #[ws(on_opened)]
                async fn misspelt(&self, conn: Conn) {}
                #[ws(on, skip)]
                async fn both(&self, msg: Join) {}
                #[ws]
                async fn bare(&self, msg: Join) {}
                fn router(&self) {}
            }
        }
    )));
}

#[test]
fn mistakes_in_the_block() {
    let cases = [
        expand_ws_handlers(
            quote!(),
            quote!(
                impl<T> Chat<T> {
                    async fn join(&self, msg: Join) {}
                }
            ),
        ),
        expand_ws_handlers(quote!(), quote!(impl Serve for Chat { async fn join(&self, msg: Join) {} })),
        expand_ws_handlers(quote!(), quote!(impl Chat { fn join(&self, msg: Join) {} })),
        expand_ws_handlers(
            quote!(stat = App, data = A, data = B),
            quote!(impl Chat { async fn join(&self, msg: Join) {} }),
        ),
        expand_ws_handlers(
            quote!(),
            quote!(
                struct Chat;
            ),
        ),
    ];
    assert_snapshot!(cases.map(|case| errors(&case)).concat());
}

/// Valid methods stay registered beside the errors.
#[test]
fn the_rest_stays() {
    assert_snapshot!(handlers(
        quote!(),
        quote! {
            impl Chat {
                async fn join(&self, msg: Join) {}
                async fn leave(&mut self, msg: Leave) {}
            #[ws(on_opend)]
            async fn opened(&self, conn: Conn) {}
            }
        }
    ));
}
