//! `USER_UPDATE` in all its versions.

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use switchboard::WsMessage;
use validator::Validate;

/// The version that handlers see.
const NEWEST: u8 = 2;

/// The newest version. The rules apply to both: version 1 is migrated before it is checked.
///
/// `WsMessage` rather than `#[ws_message]`, because its `Deserialize` is written by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Validate, WsMessage)]
#[ws(type = "USER_UPDATE")]
pub(crate) struct UserUpdate {
    #[validate(length(min = 1, max = 100))]
    name: String,
    #[validate(email)]
    email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[validate(url)]
    avatar: Option<String>,
    /// 1 only on the wire.
    #[validate(range(min = 1, max = 2))]
    version: u8,
}

/// Version 1, which old clients still send.
struct UserUpdateV1 {
    name: String,
    email: String,
}

/// The migration.
impl From<UserUpdateV1> for UserUpdate {
    fn from(old: UserUpdateV1) -> Self {
        Self { name: old.name, email: old.email, avatar: None, version: NEWEST }
    }
}

/// The keys of all versions.
///
/// One struct instead of an untagged enum of versions, for which serde could report only that no
/// version fits, not which key is wrong.
#[derive(Deserialize)]
struct AnyVersion {
    name: String,
    email: String,
    avatar: Option<String>,
    #[serde(default = "first")]
    version: u8,
}

/// The first clients sent version 1 without this key.
fn first() -> u8 {
    1
}

impl<'de> Deserialize<'de> for UserUpdate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let AnyVersion { name, email, avatar, version } = AnyVersion::deserialize(deserializer)?;
        match (version, avatar) {
            (1, None) => Ok(UserUpdateV1 { name, email }.into()),
            (1, Some(_)) => Err(D::Error::unknown_field("avatar", &["name", "email", "version"])),
            (_, avatar) => Ok(Self { name, email, avatar, version }),
        }
    }
}
