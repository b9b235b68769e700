//! Converts the bounds of rules for the derive of `JsonSchema`.
//!
//! It converts a bound to a `serde_json::Value`, which has no `From` for 128 bits, and takes a
//! literal without a type for an `i32`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Expr, ExprLit, ExprUnary, Lit, LitInt, Meta, Token, UnOp, punctuated::Punctuated};

use crate::krate::Krate;

type List = Punctuated<Meta, Token![,]>;

/// Rewrites the bounds in `#[validate(range(…), length(…))]` if needed.
pub(crate) fn convert(attrs: &mut [Attribute], krate: &Krate) {
    for attr in attrs.iter_mut().filter(|attr| attr.path().is_ident("validate")) {
        let Meta::List(validate) = &mut attr.meta else { continue };
        // Rules that do not parse are reported with the rules.
        let Ok(mut rules) = validate.parse_args_with(List::parse_terminated) else { continue };
        let mut changed = false;
        for rule in &mut rules {
            let Meta::List(rule) = rule else { continue };
            if !rule.path.is_ident("range") && !rule.path.is_ident("length") {
                continue;
            }
            let Ok(mut options) = rule.parse_args_with(List::parse_terminated) else { continue };
            for option in &mut options {
                if let Meta::NameValue(option) = option
                    && ["min", "max", "equal"].iter().any(|name| option.path.is_ident(name))
                    && let Some(bound) = converted(&option.value, krate)
                {
                    option.value = Expr::Verbatim(bound);
                    changed = true;
                }
            }
            rule.tokens = quote!(#options);
        }
        if changed {
            validate.tokens = quote!(#rules);
        }
    }
}

/// Returns `None` for a bound that can stay.
fn converted(bound: &Expr, krate: &Krate) -> Option<TokenStream> {
    let private = krate.private();
    let bound = match bound {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => typed(number)?,
        Expr::Unary(ExprUnary { op: UnOp::Neg(minus), expr, .. }) if matches!(**expr, Expr::Lit(_)) => {
            let Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) = &**expr else { return None };
            let number = typed(number)?;
            quote!(#minus #number)
        }
        Expr::Lit(_) => return None,
        bound => quote!(#bound),
    };
    Some(quote!(#private::schema_bound(#bound)))
}

/// Returns a number with a type that fits it, or `None` if it fits an `i32`.
fn typed(number: &LitInt) -> Option<TokenStream> {
    if !number.suffix().is_empty() {
        return number.suffix().ends_with("128").then(|| quote!(#number));
    }
    // The minus of an option's value belongs to the literal.
    let suffix = match (number.base10_parse::<i128>(), number.base10_parse::<u128>()) {
        (Ok(value), _) if i32::try_from(value).is_ok() => return None,
        (Ok(_), _) => "i128",
        (Err(_), Ok(_)) => "u128",
        (Err(_), Err(_)) => return None,
    };
    let typed = LitInt::new(&format!("{}{suffix}", number.base10_digits()), number.span());
    Some(quote!(#typed))
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn bounds_that_a_schema_cannot_take_are_converted() {
        let converted = |attr: Attribute| {
            let mut attrs = [attr];
            convert(&mut attrs, &Krate::default());
            let Meta::List(list) = &attrs[0].meta else { return String::new() };
            list.tokens.to_string().replace(' ', "").replace("::switchboard::__private::schema_bound", "b")
        };
        for (rule, expected) in [
            (parse_quote!(#[validate(range(min = 1, max = 2147483647))]), "range(min=1,max=2147483647)"),
            (parse_quote!(#[validate(range(min = -2147483648))]), "range(min=-2147483648)"),
            (parse_quote!(#[validate(range(min = -1.5, max = 9u64))]), "range(min=-1.5,max=9u64)"),
            (
                parse_quote!(#[validate(url, range(min = -5_000_000_000, max = 9u128))]),
                "url,range(min=b(-5000000000i128),max=b(9u128))",
            ),
            (
                parse_quote!(#[validate(length(equal = 340282366920938463463374607431768211455))]),
                "length(equal=b(340282366920938463463374607431768211455u128))",
            ),
            (
                parse_quote!(#[validate(range(max = BIG - 1, exclusive_max = BIG, code = "x"))]),
                "range(max=b(BIG-1),exclusive_max=BIG,code=\"x\")",
            ),
            (parse_quote!(#[validate(custom(function = max))]), "custom(function=max)"),
        ] {
            assert_eq!(converted(rule), expected);
        }
    }
}
