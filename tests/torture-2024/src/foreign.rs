//! Types of other crates, with the features of `switchboard` that are named after them.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use switchboard::{validator::ValidationError, ws_message};
use url::Url;
use uuid::Uuid;

fn not_nil(id: &Uuid) -> Result<(), ValidationError> {
    if id.is_nil() { Err(ValidationError::new("nil")) } else { Ok(()) }
}

#[ws_message("FOREIGN")]
pub struct Foreign {
    #[validate(custom(function = not_nil))]
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub day: Option<NaiveDate>,
    pub price: Decimal,
    pub link: Url,
    pub data: Vec<Bytes>,
    pub net: std::net::IpAddr,
    #[validate(length(max = 20))]
    pub shared: Arc<str>,
    #[schemars(with = "String")]
    pub seen: time::OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub sent: time::OffsetDateTime,
}
