//! The settings of a node, from the environment.

use std::{
    env,
    error::Error,
    fmt::{self, Display},
    net::SocketAddr,
    time::Duration,
};

/// A variable of the environment that a node reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// The name.
    pub name: &'static str,
    /// What it sets.
    pub meaning: &'static str,
    /// The value where it is not set; `None` if it must be.
    pub default: Option<&'static str>,
}

/// All variables that a node reads. The manifests are compared with them.
pub const VARIABLES: [Variable; 5] = [
    Variable { name: "BROKER_URL", meaning: "the broker: redis://HOST:6379 or nats://HOST:4222", default: None },
    Variable { name: "BIND", meaning: "the address to listen on", default: Some("127.0.0.1:3000") },
    Variable { name: "NODE_NAME", meaning: "what people see, 1 to 64 characters", default: Some("node") },
    Variable {
        name: "DRAIN_SECONDS",
        meaning: "over how many seconds connections are closed at SIGTERM, 0 to 3600",
        default: Some("20"),
    },
    Variable { name: "RUST_LOG", meaning: "what is logged", default: Some("info") },
];

/// The settings of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub(crate) name: String,
    pub(crate) bind: SocketAddr,
    pub(crate) broker_url: String,
    pub(crate) drain: Duration,
}

impl Settings {
    /// Reads the settings from the environment.
    ///
    /// # Errors
    ///
    /// If a variable is missing, or its value does not fit. The text names it and says what would fit.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::read(|name| env::var(name).ok())
    }

    fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let value = |name: &'static str| {
            let default = VARIABLES.iter().find(|variable| variable.name == name).and_then(|variable| variable.default);
            get(name).or_else(|| default.map(str::to_owned)).ok_or(SettingsError {
                name,
                value: None,
                wanted: "redis://HOST:6379 or nats://HOST:4222",
            })
        };
        let bind = value("BIND")?;
        let name = value("NODE_NAME")?;
        let drain = value("DRAIN_SECONDS")?;
        let broker_url = value("BROKER_URL")?;
        if !["redis://", "nats://"].iter().any(|scheme| broker_url.starts_with(scheme)) {
            // The URL is not repeated: it may hold a password.
            return Err(SettingsError {
                name: "BROKER_URL",
                value: None,
                wanted: "redis://HOST:6379 or nats://HOST:4222",
            });
        }
        if !(1..=64).contains(&name.chars().count()) {
            return Err(SettingsError { name: "NODE_NAME", value: Some(name), wanted: "1 to 64 characters" });
        }
        Ok(Self {
            bind: bind.parse().map_err(|_| SettingsError {
                name: "BIND",
                value: Some(bind),
                wanted: "an address with a port, such as 0.0.0.0:3000",
            })?,
            drain: drain.parse().ok().filter(|seconds| *seconds <= 3600).map(Duration::from_secs).ok_or(
                SettingsError { name: "DRAIN_SECONDS", value: Some(drain), wanted: "a number from 0 to 3600" },
            )?,
            name,
            broker_url,
        })
    }
}

/// A variable of the environment that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    name: &'static str,
    value: Option<String>,
    wanted: &'static str,
}

impl Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value, wanted } = self;
        match value {
            Some(value) => write!(f, "{name} must be {wanted}, not {value:?}"),
            None => write!(f, "{name} must be set to {wanted}"),
        }
    }
}

impl Error for SettingsError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let get = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Settings::read(get).map_err(|error| error.to_string())
    }

    #[test]
    fn only_the_broker_has_no_default() {
        let broker = ("BROKER_URL", "redis://h:1");
        let settings = read(&[broker]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(settings.bind, SocketAddr::from(([127, 0, 0, 1], 3000)));
        assert_eq!((settings.name.as_str(), settings.drain), ("node", Duration::from_secs(20)));
        assert_eq!(read(&[]), Err("BROKER_URL must be set to redis://HOST:6379 or nats://HOST:4222".into()));
    }

    #[test]
    fn values_that_do_not_fit_are_named() {
        let broker = ("BROKER_URL", "nats://h:1");
        for (name, value, error) in [
            ("BIND", "3000", "BIND must be an address with a port, such as 0.0.0.0:3000, not \"3000\""),
            ("NODE_NAME", "", "NODE_NAME must be 1 to 64 characters, not \"\""),
            ("DRAIN_SECONDS", "3601", "DRAIN_SECONDS must be a number from 0 to 3600, not \"3601\""),
            ("DRAIN_SECONDS", "soon", "DRAIN_SECONDS must be a number from 0 to 3600, not \"soon\""),
        ] {
            assert_eq!(read(&[broker, (name, value)]), Err(error.into()));
        }
        let error = read(&[("BROKER_URL", "amqp://user:secret@h")]);
        assert!(error.is_err_and(|error| error.contains("BROKER_URL") && !error.contains("secret")));
    }
}
