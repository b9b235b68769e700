//! As whom a node logs in.

use std::fmt;
#[cfg(feature = "nkeys")]
use std::{fs, path::PathBuf, sync::Arc};

use async_nats::Auth;
use switchboard_core::broker::BrokerError;
#[cfg(feature = "nkeys")]
use switchboard_core::broker::BrokerErrorKind;

/// A way to log in. One at a time.
#[derive(Clone, Default)]
pub(crate) enum Login {
    /// The server lets anybody in.
    #[default]
    Nobody,
    Password {
        user: Option<String>,
        password: Option<String>,
    },
    Token(String),
    /// A key of which the server knows the public half.
    #[cfg(feature = "nkeys")]
    Nkey(Arc<nkeys::KeyPair>),
    /// What a file with credentials contains.
    #[cfg(feature = "nkeys")]
    Credentials(Credentials),
    /// A file with credentials, read at each attempt to connect, because tools renew it.
    #[cfg(feature = "nkeys")]
    CredentialsFile(PathBuf),
}

/// A token that the operator's tools have signed, and the key that belongs to it.
#[cfg(feature = "nkeys")]
#[derive(Clone)]
pub(crate) struct Credentials {
    jwt: String,
    key: Arc<nkeys::KeyPair>,
}

/// A login whose files have been read.
#[derive(Clone)]
pub(crate) struct ReadyLogin(Login);

impl Login {
    #[cfg(feature = "nkeys")]
    pub(crate) fn nkey(seed: &str) -> Result<Self, BrokerError> {
        Ok(Self::Nkey(key(seed, "nkey")?))
    }

    #[cfg(feature = "nkeys")]
    pub(crate) fn credentials(text: &str) -> Result<Self, BrokerError> {
        Ok(Self::Credentials(Credentials::read(text, "credentials")?))
    }

    /// Reads the file, if this is one. Blocks for a moment.
    ///
    /// # Errors
    ///
    /// `Rejected` if it cannot be read.
    pub(crate) fn read(&self) -> Result<ReadyLogin, BrokerError> {
        match self {
            #[cfg(feature = "nkeys")]
            Self::CredentialsFile(path) => {
                let name = path.display().to_string();
                let text = fs::read_to_string(path).map_err(|error| {
                    BrokerError::new(BrokerErrorKind::Rejected, format!("the credentials file {name}: {error}"))
                        .with_source(error)
                })?;
                let credentials = Credentials::read(&text, &format!("the credentials file {name}"))?;
                Ok(ReadyLogin(Self::Credentials(credentials)))
            }
            other => Ok(ReadyLogin(other.clone())),
        }
    }
}

impl ReadyLogin {
    /// Answers the server, which has sent a text to be signed.
    pub(crate) fn answer(&self, nonce: &[u8]) -> Result<Auth, String> {
        // Used by keys only.
        let _ = nonce;
        let mut auth = Auth::new();
        match self.0.clone() {
            Login::Nobody => {}
            Login::Password { user, password } => (auth.username, auth.password) = (user, password),
            Login::Token(token) => auth.token = Some(token),
            #[cfg(feature = "nkeys")]
            Login::Nkey(key) => {
                auth.nkey = Some(key.public_key());
                auth.signature = Some(key.sign(nonce).map_err(|error| error.to_string())?);
            }
            #[cfg(feature = "nkeys")]
            Login::Credentials(Credentials { jwt, key }) => {
                auth.jwt = Some(jwt);
                auth.signature = Some(key.sign(nonce).map_err(|error| error.to_string())?);
            }
            // Has been read.
            #[cfg(feature = "nkeys")]
            Login::CredentialsFile(_) => {}
        }
        Ok(auth)
    }
}

#[cfg(feature = "nkeys")]
impl Credentials {
    /// Reads the text of a `.creds` file: a token and a seed, each between a line with `BEGIN` and one with `END`.
    fn read(text: &str, what: &str) -> Result<Self, BrokerError> {
        let block = |name: &str| {
            let is_border = |line: &str| line.starts_with("---");
            let mut lines = text.lines().map(str::trim);
            lines.find(|line| is_border(line) && line.contains("BEGIN") && line.contains(name))?;
            let block: String = lines.take_while(|line| !is_border(line)).collect();
            Some(block).filter(|block| !block.is_empty())
        };
        let (Some(jwt), Some(seed)) = (block("JWT"), block("SEED")) else {
            let detail = format!("{what}: expected is the text of a `.creds` file, with a JWT and a seed");
            return Err(BrokerError::new(BrokerErrorKind::Rejected, detail));
        };
        Ok(Self { jwt, key: key(&seed, what)? })
    }
}

#[cfg(feature = "nkeys")]
fn key(seed: &str, what: &str) -> Result<Arc<nkeys::KeyPair>, BrokerError> {
    // Without the seed.
    let detail = |error| format!("{what}: the seed of a user's key begins with `SU` and has 58 characters ({error})");
    match nkeys::KeyPair::from_seed(seed.trim()) {
        Ok(key) => Ok(Arc::new(key)),
        Err(error) => Err(BrokerError::new(BrokerErrorKind::Rejected, detail(error.to_string()))),
    }
}

/// Without what is secret.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("Nobody"),
            Self::Password { user, .. } => f.debug_struct("Password").field("user", user).finish_non_exhaustive(),
            Self::Token(_) => f.write_str("Token"),
            #[cfg(feature = "nkeys")]
            Self::Nkey(key) => f.debug_tuple("Nkey").field(&key.public_key()).finish(),
            #[cfg(feature = "nkeys")]
            Self::Credentials(credentials) => {
                f.debug_tuple("Credentials").field(&credentials.key.public_key()).finish()
            }
            #[cfg(feature = "nkeys")]
            Self::CredentialsFile(path) => f.debug_tuple("CredentialsFile").field(path).finish(),
        }
    }
}

#[cfg(all(test, feature = "nkeys"))]
mod tests {
    use super::*;

    fn file(jwt: &str, seed: &str) -> String {
        format!(
            "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
             ************************* IMPORTANT *************************\n\
             NKEY Seed printed below can be used to sign and prove identity.\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        )
    }

    #[test]
    fn a_file_has_a_token_and_a_key_which_signs() {
        let key = nkeys::KeyPair::new_user();
        let seed = key.seed().unwrap();
        for text in [file("a.b.c", &seed), file("a.b.c", &seed).replace('\n', "\r\n")] {
            let auth = Login::credentials(&text).unwrap().read().unwrap().answer(b"nonce").unwrap();
            assert_eq!(auth.jwt.as_deref(), Some("a.b.c"));
            key.verify(b"nonce", &auth.signature.unwrap()).unwrap();
        }
        let auth = Login::nkey(&seed).unwrap().read().unwrap().answer(b"nonce").unwrap();
        assert_eq!(auth.nkey, Some(key.public_key()));
        key.verify(b"nonce", &auth.signature.unwrap()).unwrap();
    }

    #[test]
    fn what_is_no_file_is_refused_without_repeating_it() {
        let seed = nkeys::KeyPair::new_user().seed().unwrap();
        for text in ["", "secret", &file("", &seed), &file("a.b.c", ""), &file("a.b.c", "SUsecret")] {
            let error = Login::credentials(text).unwrap_err().to_string();
            assert!(error.contains("credentials: ") && !error.contains("secret"), "{error}");
        }
        let error = Login::nkey("SUsecret").unwrap_err().to_string();
        assert!(error.contains("begins with `SU`") && !error.contains("secret"), "{error}");
        assert!(!format!("{:?}", Login::nkey(&seed).unwrap()).contains(&seed));
        let missing = Login::CredentialsFile("nowhere/app.creds".into()).read().err().unwrap().to_string();
        assert!(missing.contains("nowhere/app.creds"), "{missing}");
    }
}
