//! `#[serde(skip_serializing_if = "Option::is_none")]`: a field that is left out instead of being `null`.

use syn::{Data, DeriveInput, Field, GenericArgument, PathArguments, Type, parse_quote};

use crate::attributes::serde_attrs::{self, holds};

/// Marks the schemas of these fields. A schema alone does not say which function decides, and another one, or an
/// `Option` in the `Option`, may write `null` nevertheless.
pub(crate) fn mark(input: &mut DeriveInput) {
    match &mut input.data {
        Data::Struct(data) => data.fields.iter_mut().for_each(mark_field),
        Data::Enum(data) => {
            data.variants.iter_mut().flat_map(|variant| variant.fields.iter_mut()).for_each(mark_field);
        }
        Data::Union(_) => {}
    }
}

fn mark_field(field: &mut Field) {
    let is_skipped = serde_attrs::skip_serializing_if(&field.attrs).is_some_and(|function| {
        let function: String = function.value().split_whitespace().collect();
        function == "Option::is_none" || function.ends_with("::Option::is_none")
    });
    let is_plain = !holds(&field.attrs, "serde", &["with", "serialize_with", "flatten"]);
    if is_skipped && is_plain && inside_option(&field.ty).is_some_and(|inner| inside_option(inner).is_none()) {
        field.attrs.push(parse_quote!(#[schemars(extend("x-never-null" = true))]));
    }
}

/// Returns the `T` of an `Option<T>`.
fn inside_option(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) => Some(inner),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;

    use super::*;

    fn is_marked(mut input: DeriveInput) -> bool {
        mark(&mut input);
        input.to_token_stream().to_string().contains("x-never-null")
    }

    #[test]
    fn only_options_that_are_never_null_are_marked() {
        assert!(is_marked(parse_quote! {
            struct A {
                #[serde(rename = "b", skip_serializing_if = "Option::is_none")]
                a: Option<String>,
            }
        }));
        assert!(is_marked(parse_quote! {
            enum A {
                B {
                    #[serde(skip_serializing_if = "::core::option::Option::is_none")]
                    a: std::option::Option<Vec<Option<u8>>>,
                },
            }
        }));
        // `Some(None)` is written.
        assert!(!is_marked(parse_quote! {
            struct A {
                #[serde(skip_serializing_if = "Option::is_none")]
                a: Option<Option<String>>,
            }
        }));
        assert!(!is_marked(parse_quote! {
            struct A {
                #[serde(skip_serializing_if = "is_default")]
                a: Option<String>,
            }
        }));
        assert!(!is_marked(parse_quote! {
            struct A {
                #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write")]
                a: Option<String>,
            }
        }));
    }
}
