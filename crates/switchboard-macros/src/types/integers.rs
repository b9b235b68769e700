//! `#[ws(safe)]` and `#[ws(string)]` on fields: how clients get 64-bit integers.

use syn::{Attribute, Data, DeriveInput, Field, Type, parse_quote};

use crate::{attributes::serde_attrs::holds, errors::Errors, krate::Krate, types::derives};

/// Replaces the attributes by those of serde and schemars that say the same.
pub(crate) fn expand(input: &mut DeriveInput, krate: &Krate, errors: &mut Errors) {
    let mut each = |field: &mut Field| expand_field(field, krate, errors);
    match &mut input.data {
        Data::Struct(data) => data.fields.iter_mut().for_each(&mut each),
        Data::Enum(data) => {
            data.variants.iter_mut().flat_map(|variant| variant.fields.iter_mut()).for_each(&mut each);
        }
        Data::Union(_) => {}
    }
}

/// Reports the attributes in the plain form, whose derives of serde and schemars have read the fields already.
pub(crate) fn check_derive(input: &DeriveInput, errors: &mut Errors) {
    for attr in derives::fields(&input.data).flat_map(|field| &field.attrs).filter(|attr| attr.path().is_ident("ws")) {
        errors.at(
            attr,
            "`#[ws(…)]` on a field belongs to `#[ws_message]` and `#[ws_payload]`; beside a derive, write \
             `#[serde(with = \"switchboard::as_string\")]` and `#[schemars(with = \"String\")]` for `string`, or \
             `#[schemars(extend(\"x-safe-integer\" = true))]` for `safe`",
        );
    }
}

fn expand_field(field: &mut Field, krate: &Krate, errors: &mut Errors) {
    let is_ours = |attr: &Attribute| attr.path().is_ident("ws");
    let ours: Vec<Attribute> = field.attrs.iter().filter(|attr| is_ours(attr)).cloned().collect();
    field.attrs.retain(|attr| !is_ours(attr));
    for attr in ours {
        let mut added = Vec::new();
        let read = attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("safe") {
                added.push(parse_quote!(#[schemars(extend("x-safe-integer" = true))]));
            } else if meta.path.is_ident("string") {
                if holds(&field.attrs, "serde", &["with", "serialize_with", "deserialize_with"]) {
                    return Err(meta.error("`string` and `#[serde(with = …)]` both say what is sent: remove one"));
                }
                if is_container(&field.ty) {
                    let text = "`string` is for a number or an `Option` of one; what is in a list or a map can be a \
                                `#[ws_payload]` with a field that has the attribute";
                    return Err(syn::Error::new_spanned(&field.ty, text));
                }
                added.extend(as_string(field, krate));
            } else {
                return Err(meta.error("a field has `safe` or `string`: `#[ws(string)]`"));
            }
            Ok(())
        });
        errors.take(read);
        field.attrs.append(&mut added);
    }
}

fn as_string(field: &Field, krate: &Krate) -> Vec<Attribute> {
    if is_option(&field.ty) {
        let path = krate.text("as_string::option");
        let mut attrs = vec![
            parse_quote!(#[serde(with = #path)]),
            parse_quote!(#[schemars(with = "::core::option::Option<::std::string::String>")]),
        ];
        // A function takes away that an absent `Option` is `None`.
        if !holds(&field.attrs, "serde", &["default"]) {
            attrs.push(parse_quote!(#[serde(default)]));
        }
        return attrs;
    }
    let path = krate.text("as_string");
    vec![parse_quote!(#[serde(with = #path)]), parse_quote!(#[schemars(with = "::std::string::String")])]
}

fn is_option(ty: &Type) -> bool {
    is_named(ty, &["Option"])
}

fn is_container(ty: &Type) -> bool {
    const CONTAINERS: [&str; 6] = ["Vec", "VecDeque", "HashMap", "BTreeMap", "HashSet", "BTreeSet"];
    matches!(ty, Type::Array(_) | Type::Tuple(_)) || is_named(ty, &CONTAINERS)
}

fn is_named(ty: &Type, names: &[&str]) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|last| names.iter().any(|name| last.ident == name))
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;

    use super::*;

    fn expanded(mut input: DeriveInput) -> String {
        let mut errors = Errors::default();
        expand(&mut input, &Krate::default(), &mut errors);
        let errors = errors.into_tokens();
        format!("{} {errors}", input.to_token_stream()).replace(' ', "")
    }

    #[test]
    fn attributes_become_those_of_serde_and_schemars() {
        let safe = expanded(parse_quote!(
            struct Order {
                #[ws(safe)]
                id: u64,
            }
        ));
        assert!(safe.contains(r#"#[schemars(extend("x-safe-integer"=true))]"#), "{safe}");
        assert!(!safe.contains("ws("), "{safe}");
        let string = expanded(parse_quote!(
            struct Order {
                #[ws(string)]
                id: u64,
            }
        ));
        assert!(string.contains(r#"#[serde(with="::switchboard::__private::as_string")]"#), "{string}");
        let option = expanded(parse_quote!(
            struct Order {
                #[ws(string)]
                id: Option<u64>,
            }
        ));
        assert!(option.contains("as_string::option") && option.contains("#[serde(default)]"), "{option}");
    }

    #[test]
    fn others_are_errors() {
        let text = expanded(parse_quote!(
            struct Order {
                #[ws(strng)]
                id: u64,
            }
        ));
        assert!(text.contains("compile_error"), "{text}");
    }
}
