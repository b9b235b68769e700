//! Checks the form of a message.

use proc_macro2::Span;
use quote::ToTokens as _;
use syn::{Data, DeriveInput, Fields, GenericParam, PathArguments, Type, parse_quote, spanned::Spanned};

use super::parse::{Args, Form};
use crate::{errors::Errors, message::tag, types::owned};

/// The form of a message's payload.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Shape {
    /// `struct X { … }`
    Fields,
    /// `struct X {}`
    Empty,
    /// `struct X;`
    Unit,
    /// Not a message, which was reported as an error.
    Wrong,
}

/// Reports all mistakes in the type.
///
/// If an impl is possible at all, the type gets it beside the error. Otherwise every use of the
/// type as a message would be another error.
pub(super) fn shape(input: &DeriveInput, owner: &str, errors: &mut Errors) -> Shape {
    let name = &input.ident;
    let shape = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) if fields.named.is_empty() => Shape::Empty,
            Fields::Named(_) => Shape::Fields,
            Fields::Unit => Shape::Unit,
            Fields::Unnamed(fields) => {
                let message = format!("a message is an object on the wire: use named fields, `struct {name} {{ … }}`");
                errors.at(fields, message);
                Shape::Fields
            }
        },
        Data::Enum(data) => {
            let message = format!(
                "`{owner}` goes on a struct: make the enum a field of one, `struct {name}Message {{ value: {name} }}`"
            );
            errors.at(data.enum_token, message);
            Shape::Fields
        }
        Data::Union(data) => {
            errors.at(data.union_token, format!("`{owner}` goes on a struct: a union cannot be sent"));
            Shape::Wrong
        }
    };
    if input.generics.params.is_empty() {
        if owned::check(input, "a message", errors) { shape } else { Shape::Wrong }
    } else {
        let is_lifetime = |parameter: &GenericParam| matches!(parameter, GenericParam::Lifetime(_));
        let message = if input.generics.params.iter().all(is_lifetime) {
            "a message owns what it holds: remove the lifetime, and use `String`, `Vec<_>` or `Cow<'static, _>`"
        } else {
            "a message cannot be generic, its tag stands for one type: write one struct for each type that is sent"
        };
        errors.at(&input.generics, message);
        Shape::Wrong
    }
}

/// Whether a response is certainly not a message: a list, an option, a map, a tuple or a string.
fn is_container(ty: &Type) -> bool {
    match ty {
        Type::Tuple(_) | Type::Array(_) | Type::Slice(_) | Type::Reference(_) => true,
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            let name = last.ident.to_string();
            let generic = ["Vec", "VecDeque", "Option", "Result", "HashMap", "BTreeMap", "HashSet", "BTreeSet"];
            let plain = ["String", "bool", "u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64", "usize"];
            match last.arguments {
                PathArguments::None => path.path.segments.len() == 1 && plain.contains(&name.as_str()),
                _ => generic.contains(&name.as_str()),
            }
        }),
        _ => false,
    }
}

/// Reports mistakes in the combination of arguments.
pub(super) fn args(args: &mut Args, input: &DeriveInput, form: Form, errors: &mut Errors) {
    let example = tag::suggestion(&input.ident);
    if let Some(tag) = &args.tag {
        tag::check(tag, errors);
    } else if args.lacks_tag() {
        let message = match form {
            Form::Message => format!("a message needs its type tag: `#[ws_message(\"{example}\")]`"),
            Form::Rpc => format!(
                "a request needs its type tag: `#[ws_rpc(\"{example}\", response = …)]`, \
                 or `#[ws_message(\"{example}\")]` beside it"
            ),
            Form::Derive => format!("a message needs its type tag: `#[ws(type = \"{example}\")]`"),
        };
        errors.at_span(Span::call_site(), message);
    }
    if let Some(response) = args.response.take_if(|response| is_container(response)) {
        let kind = response.to_token_stream().to_string().replace(' ', "");
        errors.at(
            response,
            format!("a response is a message: put the `{kind}` into a struct with `#[ws_message(\"TYPE\")]`"),
        );
        // Any message will do, so that this is the only error.
        args.response = Some(parse_quote!(Self));
    }
    // A response whose type did not parse was reported already.
    if !args.seen.contains("response") {
        if form == Form::Rpc {
            let span = args.beside.as_ref().map_or_else(Span::call_site, Spanned::span);
            errors.at_span(span, "a request needs the type of its response: `response = …`");
        } else if let Some(progress) = &args.progress {
            errors.at(progress, "only a request has progress: add `response = …`");
        }
    }
}
