//! Asking Sentinels for the master.

use std::str;

use redis::Value;
use switchboard_core::broker::{BrokerError, BrokerErrorKind};

use crate::{
    address::{Address, Credentials},
    command::Command,
    link::Expected,
    shared::Shared,
};

/// What a broker knows of its Sentinels.
#[derive(Debug)]
pub(super) struct Sentinels<'a> {
    pub(super) addresses: &'a [Address],
    pub(super) credentials: &'a Credentials,
    pub(super) master: &'a str,
    pub(super) tls: bool,
}

impl Sentinels<'_> {
    /// Returns the address of the master, from the first Sentinel that knows it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn master(&self, shared: &Shared, name: &str) -> Result<Address, BrokerError> {
        let mut last_error = None;
        for sentinel in self.addresses {
            match self.ask(shared, sentinel, name).await {
                Ok(address) => return Ok(address),
                Err(error) => last_error = Some(error),
            }
        }
        Err(last_error.unwrap_or_else(|| BrokerError::new(BrokerErrorKind::Unavailable, "no Sentinel is configured")))
    }

    async fn ask(&self, shared: &Shared, sentinel: &Address, name: &str) -> Result<Address, BrokerError> {
        let settings = &shared.settings;
        let mut connection = settings.connector.connect(sentinel, self.credentials, name, Expected::Sentinel).await?;
        let command = Command::words(["SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.master]);
        let answer = connection.ask_within(settings.timing.response_timeout, command).await?;
        let unknown = || {
            let detail = format!("the Sentinel {sentinel} knows no master `{}`; check `sentinel_master`", self.master);
            BrokerError::new(BrokerErrorKind::Rejected, detail)
        };
        let Value::Array(parts) = answer else { return Err(unknown()) };
        let [Value::BulkString(host), Value::BulkString(port)] = parts.as_slice() else { return Err(unknown()) };
        let text = |bytes| str::from_utf8(bytes).map_err(|_| unknown());
        let port = text(port)?.parse().map_err(|_| unknown())?;
        Ok(Address { host: text(host)?.to_owned(), port, tls: self.tls })
    }
}
