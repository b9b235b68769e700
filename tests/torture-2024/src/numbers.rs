//! Rules over numbers that `serde_json::Value` cannot hold.

use switchboard::{validator::ValidationError, ws_message, ws_payload};

fn small(big: u128) -> Result<(), ValidationError> {
    if big <= 10 {
        return Ok(());
    }
    let mut error = ValidationError::new("big");
    // This panics beyond 64 bits.
    error.add_param("given".into(), &big);
    Err(error)
}

fn not_both(numbers: &Numbers) -> Result<(), ValidationError> {
    small(numbers.of_both)
}

#[ws_message("NUMBERS")]
#[serde(default)]
#[derive(Default)]
#[validate(schema(function = not_both))]
pub struct Numbers {
    #[validate(range(min = -10, max = 10))]
    pub signed: i128,
    #[validate(range(exclusive_max = u128::MAX))]
    pub unsigned: u128,
    #[validate(range(min = i128::MIN, max = i128::MAX - 1))]
    pub wide: i128,
    #[validate(range(max = 10))]
    pub maybe: Option<u128>,
    #[validate(length(max = u64::MAX))]
    pub longest: String,
    #[validate(length(min = 18_446_744_073_709_551_615))]
    pub too_long: Option<String>,
    #[validate(custom(function = small))]
    pub checked: u128,
    #[validate(custom(function = small, code = "size", message = "is too big"))]
    pub named: u128,
    #[validate(nested)]
    pub inner: Option<Inner>,
    pub of_both: u128,
    #[validate(range(min = -5_000_000_000, max = 5_000_000_000))]
    pub literal: i64,
    #[validate(range(max = 340_282_366_920_938_463_463_374_607_431_768_211_454))]
    pub largest: u128,
}

#[ws_payload]
pub struct Inner {
    #[validate(range(max = 10))]
    pub n: u128,
}
