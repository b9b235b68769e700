//! Where the generated code finds Switchboard.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{LitStr, Path};

/// `::switchboard`, or the path given with `crate = …`.
#[derive(Clone, Default)]
pub(crate) struct Krate(Option<Path>);

impl Krate {
    pub(crate) fn new(path: Option<Path>) -> Self {
        Self(path)
    }

    /// The hidden module that holds everything the generated code refers to.
    pub(crate) fn private(&self) -> TokenStream {
        quote!(#self::__private)
    }

    /// A module re-exported there, as the `crate = "…"` options of other derives want it.
    pub(crate) fn text(&self, module: &str) -> LitStr {
        let path = self.private().to_string().replace(' ', "");
        LitStr::new(&format!("{path}::{module}"), Span::call_site())
    }
}

impl ToTokens for Krate {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match &self.0 {
            Some(path) => path.to_tokens(tokens),
            None => tokens.extend(quote!(::switchboard)),
        }
    }
}
