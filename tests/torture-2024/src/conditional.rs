//! `#[cfg]` and `#[cfg_attr]` on everything that may have them.

use switchboard::{ws_message, ws_meta, ws_payload};

#[ws_message("CONDITIONAL")]
pub struct Conditional {
    #[cfg_attr(not(feature = "off"), validate(length(min = 1)))]
    pub name: String,
    #[cfg_attr(not(feature = "off"), serde(rename = "type"), validate(length(min = 1), length(max = 3)))]
    pub kind: String,
    #[cfg_attr(not(feature = "off"), cfg_attr(not(feature = "off"), validate(nested)))]
    pub inner: Inner,
    #[cfg(feature = "off")]
    #[validate(nested)]
    pub gone: Gone,
    #[cfg(not(feature = "off"))]
    #[validate(nested)]
    pub here: Option<Inner>,
    #[cfg_attr(feature = "off", validate(length(min = 9)))]
    pub free: String,
    #[cfg_attr(not(feature = "off"), cfg(feature = "off"))]
    pub gone_too: Gone,
}

#[ws_payload]
#[cfg_attr(not(feature = "off"), serde(rename_all = "SCREAMING_SNAKE_CASE"))]
pub struct Inner {
    #[cfg_attr(not(feature = "off"), validate(range(max = 9)))]
    pub some_number: u8,
}

#[ws_payload]
#[cfg_attr(not(feature = "off"), serde(tag = "kind"))]
pub enum Choice {
    #[cfg_attr(not(feature = "off"), serde(rename = "the-first"))]
    First {
        #[cfg_attr(not(feature = "off"), validate(range(max = 9)))]
        size: u8,
    },
    #[cfg(feature = "off")]
    Gone(Gone),
}

#[ws_meta]
pub struct Meta {
    #[cfg_attr(not(feature = "off"), validate(length(min = 1)))]
    pub lang: String,
}
