//! The texts of issues are true.

use std::num::NonZeroU8;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, Unexpected, Visitor},
};

use super::{message, message_of};
use crate::{Event, Message};

/// Read from a string, as `Uuid` is.
#[derive(Serialize)]
struct Even(usize);

impl<'de> Deserialize<'de> for Even {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Even;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Even, E> {
                match text.parse() {
                    Ok(n) if n % 2 == 0 => Ok(Even(n)),
                    Ok(_) => Err(E::invalid_value(Unexpected::Str(text), &"an even number")),
                    Err(error) => Err(E::custom(error)),
                }
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// A type that refuses some numbers.
#[derive(Serialize)]
struct Small(f64);

impl<'de> Deserialize<'de> for Small {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Small;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a small number")
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Small, E> {
                if number < 1.0 { Ok(Small(number)) } else { Err(E::custom("is too large")) }
            }
        }
        deserializer.deserialize_f64(Number)
    }
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Words {
    address: Option<std::net::IpAddr>,
    socket: Option<std::net::SocketAddr>,
    even: Option<Even>,
    small: Option<Small>,
    one: Option<NonZeroU8>,
    letter: Option<char>,
    any: Option<serde_json::Value>,
}

message!(Words);

#[test]
fn a_string_that_does_not_parse_is_invalid_and_not_of_the_wrong_type() {
    // With `arbitrary_precision` a `Value` holds any number.
    let any = if crate::decode::number::are_objects() { "" } else { "any must be a number in range" };
    for (json, text) in [
        (r#"{"address":"x"}"#, "address is not a valid IP address"),
        (r#"{"address":"x\n"}"#, "address is not a valid IP address"),
        (r#"{"address":5}"#, "address must be a string"),
        (r#"{"address":[]}"#, "address must be a string"),
        (r#"{"socket":"127.0.0.1"}"#, "socket is not a valid IP address with a port"),
        (r#"{"even":"x"}"#, "even is not valid"),
        (r#"{"even":"3"}"#, "even is not valid"),
        (r#"{"even":3}"#, "even must be a string"),
        (r#"{"even":"4"}"#, ""),
        (r#"{"small":1.5}"#, "small is not valid"),
        (r#"{"small":0.5}"#, ""),
        (r#"{"small":"x"}"#, "small must be a number"),
        (r#"{"one":0}"#, "one must be an integer in range"),
        (r#"{"one":256}"#, "one must be an integer in range"),
        (r#"{"one":1.5}"#, "one must be an integer in range"),
        (r#"{"letter":"ab"}"#, "letter must be a character"),
        (r#"{"letter":1}"#, "letter must be a character"),
        (r#"{"any":1e999}"#, any),
    ] {
        assert_eq!(message_of::<Words>(json), text, "{json}");
    }
}
