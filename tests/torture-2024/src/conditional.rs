//! `#[cfg]` and `#[cfg_attr]` on everything that may have them. Nothing here is built for `none`.

use switchboard::{ws_message, ws_meta, ws_payload};

#[ws_message("CONDITIONAL")]
pub struct Conditional {
    #[cfg_attr(not(target_os = "none"), validate(length(min = 1)))]
    pub name: String,
    #[cfg_attr(not(target_os = "none"), serde(rename = "type"), validate(length(min = 1), length(max = 3)))]
    pub kind: String,
    #[cfg_attr(not(target_os = "none"), cfg_attr(not(target_os = "none"), validate(nested)))]
    pub inner: Inner,
    #[cfg(target_os = "none")]
    #[validate(nested)]
    pub gone: Gone,
    #[cfg(not(target_os = "none"))]
    #[validate(nested)]
    pub here: Option<Inner>,
    #[cfg_attr(target_os = "none", validate(length(min = 9)))]
    pub free: String,
    #[cfg_attr(not(target_os = "none"), cfg(target_os = "none"))]
    pub gone_too: Gone,
}

#[ws_payload]
#[cfg_attr(not(target_os = "none"), serde(rename_all = "SCREAMING_SNAKE_CASE"))]
pub struct Inner {
    #[cfg_attr(not(target_os = "none"), validate(range(max = 9)))]
    pub some_number: u8,
}

#[ws_payload]
#[cfg_attr(not(target_os = "none"), serde(tag = "kind"))]
pub enum Choice {
    #[cfg_attr(not(target_os = "none"), serde(rename = "the-first"))]
    First {
        #[cfg_attr(not(target_os = "none"), validate(range(max = 9)))]
        size: u8,
    },
    #[cfg(target_os = "none")]
    Gone(Gone),
}

#[ws_meta]
pub struct Meta {
    #[cfg_attr(not(target_os = "none"), validate(length(min = 1)))]
    pub lang: String,
}
