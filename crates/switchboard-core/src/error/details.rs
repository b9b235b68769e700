//! Keeps credentials out of error details.

use serde_json::Value;

/// Compared in lower case.
const CREDENTIALS: [&str; 15] = [
    "password",
    "token",
    "authorization",
    "bearer",
    "jwt",
    "apikey",
    "api_key",
    "accesstoken",
    "access_token",
    "refreshtoken",
    "refresh_token",
    "cookie",
    "secret",
    "credentials",
    "auth",
];

pub(super) fn sanitise(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .filter(|(key, _)| !CREDENTIALS.contains(&key.to_ascii_lowercase().as_str()))
                .map(|(key, value)| (key, sanitise(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(sanitise).collect()),
        other => other,
    }
}
