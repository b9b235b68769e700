//! Structs that derive some of it themselves, and the plain form.
#![deny(warnings)]

use serde::{Deserialize, Serialize};
use switchboard::{Issues, Message, Request, WsMessage, ws_message};
use validator::Validate;

#[ws_message("ONE")]
#[derive(Serialize, serde::Deserialize, Validate)]
#[serde(rename_all = "snake_case")]
struct One {
    #[validate(length(min = 1))]
    room_id: String,
}

#[ws_message("HALF")]
#[derive(Deserialize)]
struct Half {
    room_id: String,
}

#[derive(Serialize, Deserialize, Validate, WsMessage)]
#[serde(rename_all = "camelCase")]
#[ws(type = "PLAIN", response = One, progress = u8, allow_unknown)]
struct Plain {
    #[validate(length(min = 1))]
    room_id: String,
}

#[derive(Serialize, Deserialize, WsMessage)]
#[ws(type = "CHECKED", validate_with = rules::checked, crate = ::switchboard)]
struct Checked;

mod rules {
    use super::{Checked, Issues};

    pub(crate) fn checked(_: &Checked) -> Result<(), Issues> {
        Err(Issues::single("", "closed", "is closed"))
    }
}

fn is_request<M: Request<Response = One, Progress = u8>>() {}

#[test]
fn what_is_derived_already_is_not_derived_again() {
    is_request::<Plain>();
    const { assert!(Plain::ALLOW_UNKNOWN) };
    let path = |issues: Issues| issues.iter().map(|issue| issue.path().to_owned()).next();
    assert_eq!(Message::validate(&One { room_id: String::new() }).map_err(path), Err(Some("room_id".into())));
    assert_eq!(Message::validate(&Plain { room_id: String::new() }).map_err(path), Err(Some("roomId".into())));
    assert!(Checked.validate().is_err());
    drop(Half { room_id: String::new() }.room_id);
}
