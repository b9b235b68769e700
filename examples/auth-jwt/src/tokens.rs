//! JSON Web Tokens.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::Error};
use serde::{Deserialize, Serialize};

use crate::users::{Role, UserData};

/// How long a token is valid.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Creates and verifies tokens.
pub(crate) struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

/// The claims of a token.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    user_id: String,
    username: String,
    #[serde(default = "plain_user")]
    roles: Vec<Role>,
    /// When the token expires, in seconds since 1970.
    exp: u64,
}

/// A verified token.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) user: UserData,
    pub(crate) expires_in: Duration,
}

impl Tokens {
    pub(crate) fn new(secret: &[u8]) -> Self {
        // The algorithm is fixed here and not chosen by the token: `alg: none` is refused.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        Self { encoding: EncodingKey::from_secret(secret), decoding: DecodingKey::from_secret(secret), validation }
    }

    /// Creates a token for a user.
    pub(crate) fn issue(&self, user: &UserData) -> Result<String, Error> {
        let exp = since_1970().saturating_add(LIFETIME).as_secs();
        let UserData { user_id, username, roles, authenticated: _ } = user.clone();
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &Claims { user_id, username, roles, exp }, &self.encoding)
    }

    /// Returns the user of a valid token. The reason of a refusal is not revealed.
    pub(crate) fn verify(&self, token: &str) -> Option<Verified> {
        let claims: Claims = jsonwebtoken::decode(token, &self.decoding, &self.validation).ok()?.claims;
        let user = UserData::known(claims.user_id, claims.username, claims.roles);
        Some(Verified { user, expires_in: Duration::from_secs(claims.exp).saturating_sub(since_1970()) })
    }
}

/// Omits the keys.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(…)")
    }
}

fn plain_user() -> Vec<Role> {
    vec![Role::User]
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
