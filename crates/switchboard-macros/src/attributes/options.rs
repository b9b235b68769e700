//! Reads `name`, `name = value` lists, the arguments of all macros of this crate.

use proc_macro2::TokenStream;
use syn::{
    Ident, LitStr, Path, Token, Type,
    ext::IdentExt,
    parse::{Parse, ParseStream, Parser},
};

use crate::{attributes::suggest, errors::Errors, krate::Krate};

/// The name of a macro in messages, and its options.
pub(crate) struct Known {
    /// For example `#[ws_message]`.
    pub(crate) owner: &'static str,
    pub(crate) options: &'static [&'static str],
    /// The error for a string without a name.
    pub(crate) text: &'static str,
    /// Options that belong elsewhere, and what to write instead.
    pub(crate) elsewhere: &'static [(&'static str, &'static str)],
}

/// The names of the options that were read, to find those given twice.
#[derive(Default)]
pub(crate) struct Seen(Vec<String>);

impl Seen {
    /// Whether an option with this name was read.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|seen| seen == name)
    }

    fn insert(&mut self, name: &str) -> bool {
        let new = !self.contains(name);
        if new {
            self.0.push(name.to_owned());
        }
        new
    }
}

/// One option, of which the name was read.
pub(crate) struct Opt<'a> {
    pub(crate) name: &'a Ident,
    input: ParseStream<'a>,
}

/// Calls `take` for every option in `tokens` and adds all mistakes to `errors`.
///
/// `first` reads what may precede the options, and returns whether there was anything.
pub(crate) fn read(
    tokens: TokenStream,
    known: &Known,
    seen: &mut Seen,
    errors: &mut Errors,
    first: impl FnOnce(ParseStream<'_>) -> syn::Result<bool>,
    mut take: impl FnMut(&str, Opt<'_>, &mut Errors) -> syn::Result<()>,
) {
    let parser = |input: ParseStream<'_>| {
        match first(input) {
            Ok(false) => {}
            step => recover(input, step.map(|_| ()), errors),
        }
        while !input.is_empty() {
            let step = option(input, known, seen, errors, &mut take);
            recover(input, step, errors);
        }
        Ok(())
    };
    let done = parser.parse2(tokens);
    errors.take(done);
}

/// Continues behind the next comma, so that the options after a mistake are read, too.
fn recover(input: ParseStream<'_>, step: syn::Result<()>, errors: &mut Errors) {
    let mut failed = errors.take(step).is_none();
    while !input.is_empty() && !input.peek(Token![,]) {
        if !std::mem::replace(&mut failed, true) {
            errors.push(input.error("expected `,`"));
        }
        // Cannot fail: at least one token is left.
        _ = input.parse::<proc_macro2::TokenTree>();
    }
    _ = input.parse::<Token![,]>();
}

fn option(
    input: ParseStream<'_>,
    known: &Known,
    seen: &mut Seen,
    errors: &mut Errors,
    take: &mut impl FnMut(&str, Opt<'_>, &mut Errors) -> syn::Result<()>,
) -> syn::Result<()> {
    if input.peek(LitStr) {
        return Err(input.error(known.text));
    }
    let Ok(name) = Ident::parse_any(input) else {
        return Err(input.error(format!("expected one of the options {}", suggest::list(known.options))));
    };
    let text = name.to_string();
    if !known.options.contains(&text.as_str()) {
        errors.at(&name, unknown(&text, known));
        return skip_value(input);
    }
    if !seen.insert(&text) {
        errors.at(&name, format!("`{text}` is given twice: remove one of the two"));
        return skip_value(input);
    }
    take(&text, Opt { name: &name, input }, errors)
}

fn unknown(name: &str, known: &Known) -> String {
    if let Some((_, instead)) = known.elsewhere.iter().find(|(option, _)| *option == name) {
        return format!("`{name}` is not an option of `{}`: {instead}", known.owner);
    }
    match suggest::closest(name, known.options) {
        Some(option) => format!("unknown option `{name}`: did you mean `{option}`?"),
        None => format!("unknown option `{name}`: `{}` knows {}", known.owner, suggest::list(known.options)),
    }
}

/// Skips a value, which may contain commas only inside brackets or a type.
fn skip_value(input: ParseStream<'_>) -> syn::Result<()> {
    if input.parse::<Option<Token![=]>>()?.is_some() && !input.peek(syn::Lit) && !input.peek(Token![,]) {
        input.parse::<Type>()?;
    }
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}

impl Opt<'_> {
    fn value<T: Parse>(&self, expected: &str, example: &str) -> syn::Result<T> {
        let name = self.name;
        let wrong = |error: &str| format!("`{name}` {error} {expected}: `{name} = {example}`");
        if !self.input.peek(Token![=]) {
            return Err(syn::Error::new_spanned(name, wrong("needs")));
        }
        self.input.parse::<Token![=]>()?;
        if self.input.is_empty() {
            return Err(syn::Error::new_spanned(name, wrong("needs")));
        }
        let span = self.input.span();
        self.input.parse().map_err(|_| syn::Error::new(span, wrong("must be")))
    }

    /// `name = Type`
    pub(crate) fn ty(&self, example: &str) -> syn::Result<Type> {
        self.value("a type", example)
    }

    /// `name = path::to::something`
    pub(crate) fn path(&self, example: &str) -> syn::Result<Path> {
        self.value("a path", example)
    }

    /// `crate = path`
    pub(crate) fn krate(&self) -> syn::Result<Krate> {
        self.path("::my_crate::switchboard").map(Krate::Path)
    }

    /// `crate = path`, if it is passed to other derives, which take it as a string.
    pub(crate) fn krate_as_text(&self) -> syn::Result<Krate> {
        let path = self.path("::my_crate::switchboard")?;
        if path.segments.first().is_some_and(|first| first.ident == "$crate") {
            let message =
                "serde's `crate = \"…\"` cannot hold `$crate`: write the crate's name, `::my_crate::switchboard`";
            return Err(syn::Error::new_spanned(path, message));
        }
        Ok(Krate::Path(path))
    }

    /// `name = "text"`
    pub(crate) fn text(&self, example: &str) -> syn::Result<LitStr> {
        self.value("a string literal", example)
    }

    /// The bare name.
    pub(crate) fn flag(&self) -> syn::Result<()> {
        if self.input.peek(Token![=]) {
            let message = format!("`{}` takes no value: leave it out or write the name alone", self.name);
            return Err(self.input.error(message));
        }
        Ok(())
    }
}
