//! Rules, functions and fields that come from the caller of a `macro_rules!`.

use switchboard::{Issues, WsMessage, WsMessages, validator::ValidationError, ws_message, ws_payload};

fn even(number: u8) -> Result<(), ValidationError> {
    if number.is_multiple_of(2) { Ok(()) } else { Err(ValidationError::new("even")) }
}

fn whole(_: &Passed) -> Result<(), ValidationError> {
    Ok(())
}

fn known(_: &ByFunction) -> Result<(), Issues> {
    Ok(())
}

macro_rules! passed {
    ($name:ident $function:ident $nested:ident $($field:ident: $ty:ty = $rule:ident($($argument:tt)*)),*) => {
        #[ws_message("PASSED")]
        #[validate(schema(function = $function))]
        pub struct $name {
            $(#[validate($rule($($argument)*))] pub $field: $ty,)*
            #[validate($nested)]
            pub inner: Other,
        }
    };
}

passed!(Passed whole nested
    text: String = length(min = 1),
    number: u8 = range(max = 9),
    maybe: Option<u8> = range(max = 9),
    odd: u8 = custom(function = even),
    mail: String = contains(pattern = "@"),
    again: String = must_match(other = "mail")
);

macro_rules! whole_rules {
    ($name:ident { $($field:ident: $ty:ty = [$($rule:tt)*]),* }) => {
        #[ws_payload]
        pub struct $name {
            $(#[validate($($rule)*)] pub $field: $ty,)*
        }
    };
}

whole_rules!(Other {
    number: u8 = [range(min = 1), custom(function = even)],
    needed: Option<u8> = [required],
    site: String = [url]
});

macro_rules! variant {
    ($name:ident $variant:ident $field:ident $other:ident) => {
        #[ws_payload]
        pub enum $name {
            $variant {
                #[validate(length(max = 9))]
                $field: String,
                #[validate(must_match(other = $field), length(max = 9))]
                $other: String,
                #[validate(range(max = 9))]
                inside: u8,
            },
        }
    };
}

variant!(Choice One __value other);

/// A name that generated code might use itself.
#[ws_payload]
pub enum Value {
    One {
        #[validate(range(max = 9))]
        __value: u8,
        #[validate(range(max = 9))]
        __report: u8,
    },
}

macro_rules! by_function {
    ($name:ident $function:path) => {
        #[derive(switchboard::__private::serde::Serialize, switchboard::__private::serde::Deserialize, WsMessage)]
        #[serde(crate = "switchboard::__private::serde")]
        #[ws(type = "BY_FUNCTION", validate_with = $function)]
        pub struct $name {
            pub a: u8,
        }
    };
}

by_function!(ByFunction known);

macro_rules! set {
    ($name:ident $($message:ident)*) => {
        #[derive(WsMessages)]
        pub enum $name {
            $($message($message),)*
        }
    };
}

set!(Set Passed ByFunction);
