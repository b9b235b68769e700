//! The path by which generated code refers to Switchboard.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{LitStr, Path};

/// The crate that the generated code refers to.
///
/// `switchboard` and `switchboard-core` re-export macros of their own, which differ only in this
/// default. So a crate that depends on one of them needs no option.
#[derive(Clone, Default)]
pub(crate) enum Krate {
    /// `::switchboard`
    #[default]
    Switchboard,
    /// `::switchboard_core`
    Core,
    /// Given with `crate = …`.
    Path(Path),
}

impl Krate {
    /// Returns the hidden module with everything that generated code refers to.
    pub(crate) fn private(&self) -> TokenStream {
        quote!(#self::__private)
    }

    /// Returns the path of a module re-exported there, for the `crate = "…"` options of other
    /// derives.
    pub(crate) fn text(&self, module: &str) -> LitStr {
        let path = self.private().to_string().replace(' ', "");
        LitStr::new(&format!("{path}::{module}"), Span::call_site())
    }
}

impl ToTokens for Krate {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Switchboard => tokens.extend(quote!(::switchboard)),
            Self::Core => tokens.extend(quote!(::switchboard_core)),
            Self::Path(path) => path.to_tokens(tokens),
        }
    }
}
